"""`python -m faceswapd.ctl` is the command `faceswapctl`."""

import sys

from faceswapd.ctl import main

sys.exit(main())
