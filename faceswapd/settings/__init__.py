"""The configuration: TOML, then environment (`FACESWAPD_...`), checked.

schema    every setting, with its default and its meaning
reading   a file becomes Settings, or a list of problems with place and remedy
checking  what each value allows and all together forbid
example   the configuration file that tells everything and sets nothing
"""

from faceswapd.settings.example import example
from faceswapd.settings.problem import Problem, SettingsError
from faceswapd.settings.reading import load, unknown_variables
from faceswapd.settings.schema import InboxSettings, Settings

__all__ = ["InboxSettings", "Problem", "Settings", "SettingsError", "example", "load", "unknown_variables"]
