"""What is wrong with a configuration, where, and how it is mended."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PREFIX: Final = "FACESWAPD_"  # of the environment variables
Location = tuple[str | int, ...]  # section, number of an [[inbox]], [[preset]] or [[webhook]], key


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a configuration."""

    where: str  # file, line and key, as far as they are known
    sentence: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.sentence} {self.remedy}"


class SettingsError(Exception):
    """The configuration cannot be used."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Source:
    """The text of a configuration file, for telling places in it."""

    path: Path
    text: str

    def where(self, loc: Location) -> str:
        """File, line and key of a setting; the environment variable where the file does not have it."""
        names = [str(part) for part in loc if isinstance(part, str)]
        variables = {name.upper(): name for name in os.environ}
        for depth in range(len(names), 0, -1):  # of the key itself, or of its whole section
            variable = variables.get(PREFIX + "__".join(names[:depth]).upper())
            if variable is not None:
                return f"environment variable {variable}"
        number = next((part for part in loc if isinstance(part, int)), 0)
        repeated = any(isinstance(part, int) for part in loc)
        section, sections, line = "", 0, None
        for count, content in enumerate(self.text.splitlines(), start=1):
            if header := re.match(r"\s*\[\[?\s*([\w.-]+)\s*\]\]?", content):
                section = header[1]
                sections += section == names[0]
                if names == section.split(".") and (not repeated or sections == number + 1):
                    line = count
            elif re.match(rf"\s*[\"']?{re.escape(names[-1])}[\"']?\s*=", content) and (
                section == ".".join(names[:-1]) and (not repeated or sections == number + 1)
            ):
                line = count
        place = f"{self.path}, line {line}" if line else str(self.path)
        return f"{place}, {'.'.join(names)}"
