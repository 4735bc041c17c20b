"""Which configuration a command works with."""

import argparse
import os
from pathlib import Path

from faceswapd.control.wire.address import home_folder

CONFIG = "config.toml"


def default_config() -> Path:
    """FACESWAPD_CONFIG, else the one in the default folder."""
    return Path(os.environ.get("FACESWAPD_CONFIG") or home_folder() / CONFIG)


def add_config(parser: argparse.ArgumentParser) -> None:
    """The option that names another configuration."""
    parser.add_argument(
        "--config",
        type=Path,
        default=default_config(),
        metavar="FILE",
        help=f"the configuration (default: FACESWAPD_CONFIG, else {home_folder() / CONFIG})",
    )
