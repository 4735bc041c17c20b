import re
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel, ByteSize, TypeAdapter
from pydantic.fields import FieldInfo

from faceswapd.cli.init import HEADER
from faceswapd.settings import Settings, example, load
from faceswapd.settings.schema import REPEATED, PresetSettings, locations, section_of

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"


@pytest.fixture(autouse=True)
def nothing_of_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FACESWAPD_SOCKET", "FACESWAPD_CONFIG"):
        monkeypatch.delenv(name, raising=False)


def uncommented(*with_sections: str) -> str:
    """The example with every setting and every section switched on; of [[preset]] and [[webhook]] those that are asked
    for."""
    text = example(HEADER)
    for name in ("preset", "webhook"):
        text = text.replace(f"# [[{name}]]", f"[[{name}]]")
        if name not in with_sections:
            text = re.sub(rf"^\[\[{name}\]\]\n(.+\n)*", "", text, flags=re.MULTILINE)
    return re.sub(r"^# (?=\w+ = |\[[\w.]+\]$)", "", text, flags=re.MULTILINE)


def fields_of(section: tuple[str, ...]) -> dict[str, FieldInfo]:
    """The settings of a section; (): those that stand in no section."""
    model: type[BaseModel] | None = Settings
    for name in section:
        assert model is not None
        model = REPEATED.get(name) or section_of(model.model_fields[name].annotation)
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
    # What stands for "not set" in the example.
    told = {"scratch": usual.scratch_folder, "socket": usual.socket_path}
    places = {"root": Path("~/facefusion").expanduser(), "python": Path("~/facefusion/venv/bin/python").expanduser()}
    found = usual.engine.model_copy(update={"facefusion": usual.engine.facefusion.model_copy(update=places)})
    tls = {"certificate": tmp_path / "tls/certificate.pem", "key": tmp_path / "tls/key.pem"}
    secured = usual.http.model_copy(update=tls)
    assert everything == usual.model_copy(update={**told, "engine": found, "http": secured})


def test_a_preset_of_ones_own_begins_with_the_line_that_is_shown(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(uncommented("preset"), encoding="utf-8")
    assert load(config).preset == (PresetSettings(),)


def test_every_setting_is_named_with_its_default_and_its_meaning() -> None:
    text = example(HEADER)
    values = tomllib.loads(uncommented("preset", "webhook"))
    for location in locations():
        section, name = location[:-1], location[-1]
        if location in {("inbox",), ("preset",), ("webhook",)}:
            continue
        info = fields_of(section)[name]
        assert info.description
        assert f"# {info.description}\n" in text
        given = values
        for part in section:
            given = given[part][0] if part in REPEATED else given[part]
        default = info.examples[0] if info.examples else info.default
        said = TypeAdapter(ByteSize).validate_python(given[name]) if isinstance(default, ByteSize) else given[name]
        shown = list(default) if isinstance(default, tuple) else default
        assert said == (str(default) if isinstance(default, Path) else shown)
