"""`python -m faceswapd` is the command `faceswapd`."""

import sys

from faceswapd.cli import main

sys.exit(main())
