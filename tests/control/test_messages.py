"""Every message survives the wire, and nothing else is taken for one."""

import json
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from faceswapd.control import wire
from faceswapd.control.wire.messages import Done, Job, Jobs, Status, from_wire, is_message, to_wire

MODULES = [import_module(f"{wire.__name__}.{path.stem}") for path in Path(wire.__path__[0]).glob("*messages.py")]
KINDS = sorted(
    (kind for module in MODULES for kind in vars(module).values() if is_message(kind)),
    key=lambda kind: (kind.__module__, kind.__name__),
)
# What os.fsdecode makes of any bytes: text, and lone low surrogates for bytes that are not UTF-8.
NAMES = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs"]),
        st.integers(0xDC80, 0xDCFF).map(chr),
    ),
    max_size=12,
)
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: NAMES,
    int: st.integers(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
}


def values(hint: Any) -> st.SearchStrategy[Any]:
    if get_origin(hint) is UnionType:
        arms = [st.none() if arm is NoneType else values(arm) for arm in get_args(hint)]
        return st.one_of(*arms)
    if get_origin(hint) is Sequence:
        return st.lists(values(get_args(hint)[0]), max_size=2)
    if get_origin(hint) is dict:
        return st.dictionaries(NAMES, values(get_args(hint)[1]), max_size=2)
    return built(hint) if is_message(hint) else PLAIN[hint]


def built(kind: Any) -> st.SearchStrategy[Any]:
    return st.builds(kind, **{name: values(hint) for name, hint in kind.__annotations__.items()})


def test_messages_are_found() -> None:
    assert {Done, Jobs, Status} <= set(KINDS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(data=st.data())
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_a_message_survives_the_wire(kind: Any, data: st.DataObject) -> None:
    message = data.draw(built(kind))
    assert from_wire(kind, json.loads(json.dumps(to_wire(message)))) == message


def test_an_older_client_understands_a_newer_daemon() -> None:
    assert from_wire(Done, {"text": "paused", "colour": "blue"}) == Done("paused")


def test_a_newer_client_fills_in_what_an_older_daemon_leaves_out() -> None:
    needed = {"id": 1, "state": "queued", "face": None, "target": "a", "output": None, "preset": "fast"}
    rest = {"priority": 0, "attempt": 0, "progress": 0, "reason": None}
    job = from_wire(Job, {**needed, **rest})
    assert (job.phase, job.progress, type(job.progress)) == (None, 0.0, float)


@pytest.mark.parametrize(
    "rubbish",
    [
        None,
        [],
        "jobs",
        {},
        {"jobs": [], "total": "many"},
        {"jobs": [], "total": True},
        {"jobs": {}, "total": 0},
        {"jobs": [{"id": 1}], "total": 1},
        {"jobs": None, "total": 0},
    ],
)
def test_rubbish_is_no_message(rubbish: Any) -> None:
    with pytest.raises(ValueError, match="Job"):
        from_wire(Jobs, rubbish)
