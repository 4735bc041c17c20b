import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceswapd.core.output_name import PLACEHOLDERS, below, problem_of


@pytest.mark.parametrize("template", ["{folder}/{name}{suffix}", "{face}/{name} ({preset}){suffix}", "x-{job}{suffix}"])
def test_a_usual_template_can_be_used(template: str) -> None:
    assert problem_of(template) is None


@pytest.mark.parametrize(
    "template",
    [
        "",
        "{name}",
        "{suffix}",
        "a/{suffix}",
        "../{name}{suffix}",
        "a/../../{name}{suffix}",
        "/{name}{suffix}",
        "~/{name}{suffix}",
        ".hidden/{name}{suffix}",
        "a\\{name}{suffix}",
        "a\n{name}{suffix}",
        "{0}{suffix}",
        "{}{suffix}",
        "{name!r}{suffix}",
        "{job:09}{suffix}",
        "{name[0]}{suffix}",
        "{folder}/{folder}/{name}{suffix}",
        "a/" * 9 + "{name}{suffix}",
        "x" * 600 + "{suffix}",
    ],
)
def test_one_that_could_lead_astray_is_refused(template: str) -> None:
    assert problem_of(template)


@given(st.text(alphabet="./ab~{}\\", max_size=30), st.sampled_from(["..", "a/b", "x" * 300, "/", "é" * 200, "ok"]))
def test_whatever_is_rendered_leads_down(text: str, value: str) -> None:
    template = text + "{name}{suffix}"
    if problem_of(template) is None:
        rendered = template.format(**dict.fromkeys(PLACEHOLDERS, value))
        parts = below(rendered).split("/")
        assert all(part not in ("", ".", "..") for part in parts)
        assert all(len(part.encode()) <= 255 for part in parts[:-1])
