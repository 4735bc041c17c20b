"""What the program is called, with its version. A probe takes this file for a sign that the root is whole."""

from .traits import NAME

__all__ = ["NAME"]
