"""The configuration file that tells everything and sets nothing."""

import json
from pathlib import Path

from pydantic import BaseModel, ByteSize

from faceswapd.settings.schema import InboxSettings, Settings, section_of


def example(header: str = "") -> str:
    """A configuration file that sets nothing and tells everything."""
    defaults = Settings.model_construct()
    lines = [header] if header else []
    for name, info in Settings.model_fields.items():
        if name == "inbox" or section_of(info.annotation):
            continue
        value = info.examples[0] if info.examples else getattr(defaults, name)
        lines += [f"# {info.description}", f"# {name} = {_toml(value)}", ""]
    lines += ["# A watched folder. Repeat the whole section, with its [[inbox]] line, for a further one.", "[[inbox]]"]
    lines += _example_section(InboxSettings, commented=("name",))
    for name, info in Settings.model_fields.items():
        if section := section_of(info.annotation):
            lines += [f"# {section.__doc__} Take the # before the section's name away, too.", f"# [{name}]"]
            lines += _example_section(section, commented=tuple(section.model_fields))
    return "\n".join(lines).rstrip() + "\n"


def _example_section(section: type[BaseModel], commented: tuple[str, ...]) -> list[str]:
    lines = []
    for name, info in section.model_fields.items():
        lines += [f"# {info.description}", f"{'# ' if name in commented else ''}{name} = {_toml(info.default)}"]
    return [*lines, ""]


def _toml(value: object) -> str:
    if isinstance(value, ByteSize):
        return json.dumps(f"{int(value) // 1_000_000} MB") if value else "0"
    if isinstance(value, Path):
        value = str(value)
    return json.dumps(value)
