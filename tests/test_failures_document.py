"""docs/failures.md says what the catalogue says."""

import re
from importlib.util import find_spec
from pathlib import Path

from pydantic import BaseModel

from faceswapd.core.failures import CATALOGUE, Category, Failure, FailureClass
from faceswapd.settings.schema import Settings

DOCUMENT = Path(__file__).parent.parent / "docs" / "failures.md"

CLASSES = {
    FailureClass.TRANSIENT: "Tried again by itself, a few times.",
    FailureClass.PERMANENT: "Final: the same attempt would give the same answer.",
    FailureClass.RESOURCE: "Tried again in a smaller way, step by step.",
    FailureClass.ENVIRONMENT: "The queue waits until it is mended. It costs the job no attempt.",
}


def section(name: str, one: Category) -> str:
    """What the document must say of a category."""
    paragraphs = [
        f"## {name.replace('_', ' ')}",
        " ".join(filter(None, (one.sentence, one.cause))),
        f"*{CLASSES[one.failure_class]}*",
        f"**What to do:** {one.advice}",
    ]
    return "\n\n".join(paragraphs) + "\n"


def rendered() -> str:
    """The document's part that stands for the catalogue."""
    return "\n".join(section(name, one) for name, one in CATALOGUE.items())


def test_the_document_is_the_catalogue() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text[text.index("\n## ") + 1 :] == rendered()


def test_every_class_is_explained() -> None:
    head = DOCUMENT.read_text(encoding="utf-8").split("\n## ")[0]
    for failure_class, words in CLASSES.items():
        assert f"| {failure_class} | {words} |" in head


def test_every_link_has_its_heading() -> None:
    anchors = {
        heading.lower().replace(" ", "-")
        for heading in re.findall(r"^## (.+)$", DOCUMENT.read_text(encoding="utf-8"), flags=re.MULTILINE)
    }
    assert {Failure(name, "It went wrong.").link for name in CATALOGUE} == {
        f"docs/failures.md#{anchor}" for anchor in anchors
    }


def test_the_settings_that_advice_names_are_there() -> None:
    named = {name for one in CATALOGUE.values() for name in re.findall(r"`([a-z_]+(?:\.[a-z_]+)+)`", one.advice)}
    named -= {"facefusion.ini", "install.py"}
    assert named
    for name in named:
        section: type[BaseModel] = Settings
        *folders, last = name.split(".")
        for folder in folders:
            inner = section.model_fields[folder].annotation
            assert isinstance(inner, type), name
            assert issubclass(inner, BaseModel), name
            section = inner
        assert last in section.model_fields, name


def test_the_commands_that_advice_names_are_there() -> None:
    named = {name for one in CATALOGUE.values() for name in re.findall(r"`faceswapd (\w+)`", one.advice)}
    assert named
    assert all(find_spec(f"faceswapd.cli.{name}") for name in named)
