"""The configuration file that tells everything and sets nothing."""

import json
from pathlib import Path

from pydantic import BaseModel, ByteSize

from faceswapd.settings.schema import (
    REPEATED,
    InboxSettings,
    PresetSettings,
    Section,
    Settings,
    WebhookSettings,
    section_of,
)


def example(header: str = "") -> str:
    """A configuration file that sets nothing and tells everything."""
    defaults = Settings.model_construct()
    lines = [header] if header else []
    for name, info in Settings.model_fields.items():
        if name in REPEATED or section_of(info.annotation):
            continue
        value = info.examples[0] if info.examples else getattr(defaults, name)
        lines += [f"# {info.description}", f"# {name} = {_toml(value)}", ""]
    lines += ["# A watched folder. Repeat the whole section, with its [[inbox]] line, for a further one.", "[[inbox]]"]
    lines += _example_section(InboxSettings, commented=("name", "options"))
    lines += ["# A preset of your own. Take the # away from all of it.", "# [[preset]]"]
    lines += _example_section(PresetSettings, commented=tuple(PresetSettings.model_fields))
    lines += [
        f"# {WebhookSettings.__doc__} docs/webhooks.md tells all of it; of `secret` and `secret_file` it takes one."
    ]
    lines += ["# [[webhook]]"]
    lines += _example_section(WebhookSettings, commented=tuple(WebhookSettings.model_fields))
    for name, info in Settings.model_fields.items():
        if section := section_of(info.annotation):
            lines += _whole_section(name, section)
    return "\n".join(lines).rstrip() + "\n"


def _whole_section(name: str, section: type[Section]) -> list[str]:
    lines = [f"# {section.__doc__} Take the # before the section's name away, too.", f"# [{name}]"]
    lines += _example_section(section, commented=tuple(section.model_fields))
    for key, info in section.model_fields.items():
        if inner := section_of(info.annotation):
            lines += _whole_section(f"{name}.{key}", inner)
    return lines


def _example_section(section: type[BaseModel], commented: tuple[str, ...]) -> list[str]:
    lines = []
    for name, info in section.model_fields.items():
        if section_of(info.annotation):
            continue
        value = info.examples[0] if info.examples else info.default
        lines += [f"# {info.description}", f"{'# ' if name in commented else ''}{name} = {_toml(value)}"]
    return [*lines, ""]


def _toml(value: object) -> str:
    if isinstance(value, ByteSize):
        return json.dumps(f"{int(value) // 1_000_000} MB") if value else "0"
    if isinstance(value, Path):
        value = str(value)
    return "{}" if value == {} else json.dumps(value)
