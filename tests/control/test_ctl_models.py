"""`faceswapctl models`: what it shows, follows, and refuses."""

import json
from pathlib import Path
from typing import Any

import pytest

from faceswapd.control.wire.messages import Done, Error, to_wire
from faceswapd.control.wire.model_messages import Model, Models, Pruned, Pulling, Unneeded
from faceswapd.ctl import main, models
from faceswapd.ctl.client import Client
from faceswapd.ctl.models import carry_out, models_screen
from faceswapd.ctl.terminal import Line, Look, Terminal
from tests.control.answering_daemon import Answers, listening

Capture = pytest.CaptureFixture[str]

SWAPPER = Model(
    "hyperswap_1a_256",
    "/ff/.assets/models/hyperswap_1a_256.onnx",
    "missing",
    ["fast", "balanced", "best"],
    "face_swapper",
    403_000_000,
    "ResearchRAIL",
    True,
)
DETECTOR = Model("yoloface_8n", "/ff/y.onnx", "present", ["fast"], "face_detector", 12_345_678, "GPL-3.0", False)
OWN = Model("own\x1b[2J", "/ff/own.onnx", "corrupt", [], "", None, "unknown", None)


def told(**given: Any) -> Models:
    values: dict[str, Any] = {
        "facefusion": "FaceFusion 3.8.1",
        "folder": "/ff/.assets/models",
        "models": [SWAPPER, DETECTOR, OWN],
        "whole": False,
        "sentence": "1 of 3 models is missing: hyperswap_1a_256 (403 MB). 1 of 3 models is damaged: own.",
        "missing": 403_000_000,
        "pulling": None,
        "notices": ["Research or non-commercial components in use: hyperswap_1a_256 (ResearchRAIL)."],
    }
    return Models(**{**values, **given})


WHOLE = told(models=[DETECTOR], whole=True, sentence="The model is there and right.", missing=0, notices=[])


@pytest.fixture(autouse=True)
def _in_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "BETWEEN_SECONDS", 0.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s"


def asked(path: Path, answers: Answers, *words: str) -> tuple[int, list[tuple[str, Any]]]:
    with listening(path, answers) as daemon:
        return main(["--socket", str(path), "models", *words]), daemon.asked


def test_each_model_is_a_line_and_what_to_do_stands_below() -> None:
    lines = models_screen(told(), Terminal())
    assert [line.text.split()[0] for line in lines[:4]] == ["MODEL", "hyperswap_1a_256", "yoloface_8n", "own\\x1b[2J"]
    assert lines[1].text == "hyperswap_1a_256  missing  403 MB  fast, balanced, best  ResearchRAIL *"
    assert lines[2].text == "yoloface_8n       there     12 MB  fast                  GPL-3.0"
    assert Line("* not for commercial use", Look.ASIDE) in lines
    text = " ".join(line.text for line in lines)
    assert "About 403 MB are to be fetched." in text
    assert Line("`faceswapctl models pull` fetches what lacks.", Look.DO) in lines
    assert "Research or non-commercial components in use" in text
    assert lines[-1].text == "FaceFusion 3.8.1, /ff/.assets/models"
    assert max(len(line.text) for line in lines) <= 80


def test_nothing_is_cut_for_a_program(path: Path, capsys: Capture) -> None:
    assert asked(path, {"GET /api/models": told()})[0] == 0
    rows = capsys.readouterr().out.splitlines()
    assert rows[1].endswith("ResearchRAIL *")
    assert told().sentence in rows[5]


def test_what_is_fetched_or_failed_is_told() -> None:
    fetching = [line.text for line in models_screen(told(pulling=Pulling("nsfw_1", 50, 100)), Terminal())]
    assert "[###########-----------]  50 %  50 B of 100 B  nsfw_1" in fetching
    failed = models_screen(told(problem="The server is gone.", advice="Look at the network."), Terminal())
    assert Line("The server is gone.", Look.BAD) in failed
    assert Line("Look at the network.", Look.DO) in failed
    begins = [line.text for line in models_screen(told(pulling=Pulling("", 0, 0)), Terminal())]
    assert "The download begins, or waits for another program that fetches models." in begins


def test_no_models_at_all() -> None:
    lines = models_screen(told(models=[], whole=True, sentence="It is not known which models are needed."), Terminal())
    assert lines[0].text.split() == ["MODEL", "STATE", "SIZE", "PRESETS", "LICENCE"]


def test_json_is_the_daemons_own_message(path: Path, capsys: Capture) -> None:
    pruned = Pruned([], 0, removed=False, text="There is nothing.")
    for words, question, message in (
        (["list"], "GET /api/models", told()),
        (["verify"], "POST /api/models/verify", WHOLE),
        (["prune"], "POST /api/models/prune", pruned),
    ):
        assert asked(path, {question: message}, *words, "--json")[0] == 0
        said = capsys.readouterr()
        assert (json.loads(said.out), said.err) == (to_wire(message), "")


@pytest.mark.parametrize(("answer", "code"), [(WHOLE, 0), (told(), 1)])
def test_verify_ends_well_only_when_nothing_lacks(path: Path, capsys: Capture, answer: Models, code: int) -> None:
    assert asked(path, {"POST /api/models/verify": answer}, "verify")[0] == code
    assert answer.sentence in capsys.readouterr().out


BEGUN = Done("1 of 3 models is missing. They are being fetched.")
COURSE = [
    told(pulling=Pulling("", 0, 0)),
    told(pulling=Pulling("nsfw_1", 1_000_000, 0)),
    told(pulling=Pulling("hyperswap_1a_256", 201_500_000, 403_000_000)),
    told(pulling=Pulling("hyperswap_1a_256", 403_000_000, 403_000_000)),
]


def test_pull_tells_each_model_and_the_end(path: Path, capsys: Capture) -> None:
    answers: Answers = {"POST /api/models/pull": BEGUN, "GET /api/models": [*COURSE, WHOLE]}
    code, questions = asked(path, answers, "pull")
    assert code == 0
    assert capsys.readouterr().out.splitlines() == [
        BEGUN.text,
        "Fetching nsfw_1 ...",
        "Fetching hyperswap_1a_256 ...",
        "The model is there and right.",
    ]
    assert len(questions) == 6


def test_pull_draws_a_bar_on_a_terminal(path: Path, capsys: Capture) -> None:
    with listening(path, {"POST /api/models/pull": BEGUN, "GET /api/models": [*COURSE, WHOLE]}):
        assert carry_out(Client(str(path)), "pull", Terminal(redraws=True), yes=False, as_json=False) == 0
    out = capsys.readouterr().out
    assert "\r[###########-----------]  50 %  202 MB of 403 MB  hyperswap_1a_256\x1b[K" in out
    assert out.endswith("\r\x1b[KThe model is there and right.\n")


def test_a_download_that_fails_is_a_complaint(path: Path, capsys: Capture) -> None:
    failed = told(problem="The server is gone.", advice="Look at the network.")
    assert asked(path, {"POST /api/models/pull": BEGUN, "GET /api/models": [COURSE[0], failed]}, "pull")[0] == 1
    assert capsys.readouterr().err == "faceswapctl: The server is gone. Look at the network.\n"


def test_pull_as_json_is_how_it_ended(path: Path, capsys: Capture) -> None:
    assert asked(path, {"POST /api/models/pull": BEGUN, "GET /api/models": [*COURSE, WHOLE]}, "pull", "--json")[0] == 0
    assert json.loads(capsys.readouterr().out) == to_wire(WHOLE)


def test_ctrl_c_ends_the_following_alone(path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", interrupted)
    assert asked(path, {"POST /api/models/pull": BEGUN, "GET /api/models": COURSE[0]}, "pull")[0] == 1
    assert "goes on fetching" in capsys.readouterr().err


def test_prune_shows_and_removes_only_with_yes(path: Path, capsys: Capture) -> None:
    pruned = Pruned([Unneeded("/ff/old\n.onnx", 403_000_000)], 403_000_000, removed=False, text="1 file.")
    for words, remove in (([], False), (["--yes"], True)):
        code, questions = asked(path, {"POST /api/models/prune": pruned}, "prune", *words)
        assert (code, questions) == (0, [("POST /api/models/prune", {"remove": remove})])
        assert capsys.readouterr().out == "    403 MB  /ff/old\\n.onnx\n1 file.\n"


@pytest.mark.parametrize("words", [["--yes"], ["pull", "--yes"]])
def test_yes_belongs_to_prune(path: Path, capsys: Capture, words: list[str]) -> None:
    assert asked(path, {}, *words) == (2, [])
    assert "belongs to `faceswapctl models prune`" in capsys.readouterr().err


@pytest.mark.parametrize("action", ["list", "pull", "verify", "prune"])
def test_without_facefusion_it_says_what_to_do(path: Path, capsys: Capture, action: str) -> None:
    refusal = 409, Error("No FaceFusion is set up, so there are no models.", "Run `faceswapd setup`.")
    routes = {"list": "GET /api/models"}
    assert asked(path, {routes.get(action, f"POST /api/models/{action}"): refusal}, action)[0] == 1
    assert capsys.readouterr().err.startswith("faceswapctl: No FaceFusion is set up, so there are no models.")
