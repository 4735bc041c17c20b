import re
import tomllib
from pathlib import Path

import pytest
from pydantic import ByteSize, TypeAdapter
from pydantic.fields import FieldInfo

from faceswapd.cli.init import HEADER
from faceswapd.settings import InboxSettings, Settings, example, load
from faceswapd.settings.schema import locations, section_of

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"


@pytest.fixture(autouse=True)
def nothing_of_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FACESWAPD_SOCKET", "FACESWAPD_CONFIG"):
        monkeypatch.delenv(name, raising=False)


def uncommented() -> str:
    """The example with every setting and every section switched on."""
    return re.sub(r"^# (?=\w+ = |\[\w+\]$)", "", example(HEADER), flags=re.MULTILINE)


def fields_of(section: str | None) -> dict[str, FieldInfo]:
    """The settings of a section; None: those that stand in no section."""
    if section is None:
        return Settings.model_fields
    model = InboxSettings if section == "inbox" else section_of(Settings.model_fields[section].annotation)
    assert model is not None
    return model.model_fields


def test_the_example_beside_the_readme_is_what_the_settings_say() -> None:
    assert EXAMPLE.read_text(encoding="utf-8") == example(HEADER), "write it anew from faceswapd.settings.example"


def test_the_example_sets_nothing(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(example(HEADER), encoding="utf-8")
    written = load(config)
    config.write_text("", encoding="utf-8")
    assert written == load(config)


def test_with_every_line_switched_on_it_says_the_defaults(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(uncommented(), encoding="utf-8")
    everything = load(config)
    config.write_text("", encoding="utf-8")
    usual = load(config)
    told = {"scratch": usual.scratch_folder, "socket": usual.socket_path}  # what stands for "not set" in the example
    assert everything == usual.model_copy(update=told)


def test_every_setting_is_named_with_its_default_and_its_meaning() -> None:
    text = example(HEADER)
    values = tomllib.loads(uncommented())
    for location in locations():
        section, name = (location[0], location[1]) if len(location) == 2 else (None, location[0])
        if section is None and name == "inbox":
            continue
        info = fields_of(section)[name]
        assert info.description
        assert f"# {info.description}\n" in text
        given = values if section is None else values["inbox"][0] if section == "inbox" else values[section]
        default = info.examples[0] if info.examples else info.default
        said = TypeAdapter(ByteSize).validate_python(given[name]) if isinstance(default, ByteSize) else given[name]
        assert said == (str(default) if isinstance(default, Path) else default)
