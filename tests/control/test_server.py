"""The real server on a real socket, spoken to in bytes."""

import asyncio
import os
import random
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from structlog.testing import capture_logs

from faceswapd.control.operation import Hears
from faceswapd.control.refusal import Refused
from faceswapd.control.requests import LARGEST_BODY
from faceswapd.control.routes import model_handlers
from faceswapd.control.routes.table import OPERATIONS
from faceswapd.control.wire import messages, model_messages
from faceswapd.core.intake import Signature
from faceswapd.core.target import Facts, Kind
from faceswapd.ledger import admission, outcomes, standing
from faceswapd.ledger.admission import Arrival
from tests.control.serving import OWN_ERROR, SECONDS, Control


def documented() -> dict[tuple[str, str], type]:
    """Method and path of each route of the wire, with the message that answers it."""
    return {
        (one.method, one.path.replace("{number}", "ID")): one.says
        for one in OPERATIONS
        if isinstance(one.says, type)
        and not isinstance(one.hears, Hears)  # files have tests of their own
        and not any(parameter.required and parameter.where == "header" for parameter in one.parameters)
    }


async def test_every_route_answers_with_its_message(control: Control) -> None:
    (control.path.parent / "inbox").mkdir()
    (control.path.parent / "faces" / "zoe").mkdir(parents=True)
    asked: dict[tuple[str, str], tuple[str, object]] = {
        ("GET", "/healthz"): ("/healthz", None),
        ("GET", "/readyz"): ("/readyz", None),
        ("GET", "/api/status"): ("/api/status", None),
        ("GET", "/api/jobs"): ("/api/jobs?state=queued&state=parked&face=alice&text=1.MP&limit=5&before=9", None),
        ("GET", "/api/events"): ("/api/events?after=0&since=0&job=1&job=2&limit=5", None),
        ("GET", "/api/jobs/ID"): ("/api/jobs/1", None),
        ("GET", "/api/jobs/ID/log"): ("/api/jobs/1/log?after=5&execution=1", None),
        ("GET", "/api/jobs/ID/wait"): ("/api/jobs/1/wait?seconds=0", None),
        ("GET", "/api/explain"): ("/api/explain?path=1.mp4", None),
        ("GET", "/api/find"): ("/api/find?path=1.mp4", None),
        ("POST", "/api/jobs/ID/priority"): ("/api/jobs/1/priority", {"priority": 5}),
        ("POST", "/api/jobs/ID/assign"): ("/api/jobs/2/assign", {"face": "Alice"}),
        ("POST", "/api/jobs/ID/cancel"): ("/api/jobs/1/cancel", None),
        ("POST", "/api/jobs/ID/retry"): ("/api/jobs/1/retry", None),
        ("POST", "/api/submit"): ("/api/submit", {"targets": [str(control.path.with_name("none.mp4"))]}),
        ("POST", "/api/retry"): ("/api/retry", {"category": "gpu_oom"}),
        ("POST", "/api/ledger/backup"): ("/api/ledger/backup", {"path": str(control.path.with_name("backup"))}),
        ("GET", "/api/ledger/check"): ("/api/ledger/check", None),
        ("POST", "/api/pause"): ("/api/pause", {"inbox": "inbox"}),
        ("POST", "/api/resume"): ("/api/resume", {}),
        ("POST", "/api/stop"): ("/api/stop", None),
        ("GET", "/api/models"): ("/api/models", None),
        ("POST", "/api/models/pull"): ("/api/models/pull", None),
        ("POST", "/api/models/verify"): ("/api/models/verify", None),
        ("POST", "/api/models/prune"): ("/api/models/prune", {"remove": False}),
        ("POST", "/api/login-links"): ("/api/login-links", None),
        ("GET", "/api/health"): ("/api/health", None),
        ("GET", "/api/faces"): ("/api/faces", None),
        ("GET", "/api/inboxes"): ("/api/inboxes", None),
        ("GET", "/api/presets"): ("/api/presets", None),
        ("GET", "/api/report"): ("/api/report?days=30", None),
        ("GET", "/api/status/ID"): ("/api/status/1", None),
        ("DELETE", "/api/faces/{name}"): ("/api/faces/zoe", None),
        ("GET", "/api/webhooks"): ("/api/webhooks", None),
        ("POST", "/api/webhooks/test"): ("/api/webhooks/test", {"name": "hook"}),
    }
    assert set(asked) == set(documented())
    for (method, path), (route, body) in asked.items():
        status, said = await control.ask(route, method, body)
        assert status == 200, (path, said)
        kind = documented()[method, path]
        assert messages.to_wire(messages.from_wire(kind, said)) == said
    assert (await standing.pauses(control.ledger)).inboxes == {"inbox"}
    assert control.orders.count("stop") == 1


@pytest.mark.parametrize(
    ("method", "route", "body", "status", "error"),
    [
        ("GET", "/api/jobs/77", None, 404, "There is no job 77."),
        ("GET", f"/api/jobs/{'9' * 30}", None, 404, "There is no job 9"),
        ("GET", f"/api/jobs/{'9' * 5000}/wait", None, 404, "There is no job 9"),
        ("GET", "/api/jobs/one", None, 404, "There is no job one."),
        ("GET", "/api/jobs/-1", None, 404, "There is no job -1."),
        ("GET", "/api/jobs/%C2%B2", None, 404, "There is no job"),
        ("GET", "/api/nothing", None, 404, "GET /api/nothing: Not Found."),
        ("GET", "/api/status/", None, 404, "GET /api/status/: Not Found."),
        ("GET", "/nothing", None, 404, "GET /nothing: Not Found."),
        ("DELETE", "/api/jobs/1", None, 405, "DELETE /api/jobs/1: Method Not Allowed."),
        ("GET", "/api/stop", None, 405, "GET /api/stop: Method Not Allowed."),
        ("GET", "/api/jobs?state=happy", None, 400, "There is no such state"),
        ("GET", "/api/jobs?before=-1", None, 400, "'-1' is not a whole number."),
        ("GET", "/api/jobs?before=", None, 400, "'' is not a whole number."),
        ("GET", "/api/jobs?state=%FF", None, 400, "There is no such state"),
        ("GET", "/api/jobs?limit=-1", None, 400, "'-1' is not a whole number."),
        ("GET", "/api/jobs?limit=1e99", None, 400, "'1e99' is not a whole number."),
        ("GET", f"/api/jobs?limit={'9' * 30}", None, 400, "'9"),
        ("GET", "/api/jobs/1/wait?seconds=nan", None, 400, "'nan' is no number of seconds."),
        ("GET", "/api/jobs/1/wait?seconds=-1", None, 400, "'-1' is no number of seconds."),
        ("GET", "/api/events?after=-1", None, 400, "'-1' is not a whole number."),
        ("GET", "/api/events?since=nan", None, 400, "'nan' is no time in seconds since 1970."),
        ("GET", "/api/events?job=one", None, 404, "There is no job one."),
        ("GET", "/api/events?job=1&job=77", None, 404, "There is no job 77."),
        ("GET", "/api/events?" + "&job=1" * 101, None, 400, "More than 100 jobs are named."),
        ("GET", "/api/find", None, 400, "The request names no path."),
        ("GET", "/api/find?path=a%00b", None, 400, "The request names no path."),
        ("GET", "/api/explain?path=", None, 400, "The request names no path."),
        ("POST", "/api/webhooks/test", {"name": "other"}, 404, "There is no webhook 'other'."),
        ("POST", "/api/webhooks/test", {}, 400, "The request lacks `name`."),
        ("POST", "/api/jobs/2/assign", b"{", 400, "The request is no JSON."),
        ("POST", "/api/jobs/2/assign", b"\xff\xfe", 400, "The request is no JSON."),
        ("POST", "/api/jobs/2/assign", b"[" * 50_000, 400, "The request is no JSON."),
        ("POST", "/api/jobs/2/assign", [1], 400, "The request is no JSON object."),
        ("POST", "/api/jobs/2/assign", {"face": 5}, 400, "`face` is no text."),
        ("POST", "/api/jobs/2/assign", {"face": "\ud800"}, 404, "The face '\ud800' does not exist."),
        ("POST", "/api/jobs/2/assign", {"face": "bob"}, 404, "The face 'bob' does not exist."),
        ("POST", "/api/jobs/1/assign", {"face": "alice"}, 409, "Job 1 is queued"),
        ("POST", "/api/jobs/1/retry", None, 409, "Job 1 is queued, and cannot be retried."),
        ("POST", "/api/pause", {"inbox": ["x"]}, 400, "`inbox` is no text."),
        ("POST", "/api/pause", {"inbox": "rush"}, 404, "There is no inbox 'rush'."),
        ("POST", "/api/retry", {"category": 5}, 400, "`category` is no text."),
        ("POST", "/api/retry", {"category": "gpu_omm"}, 404, "There is no category 'gpu_omm'."),
        ("POST", "/api/retry", {"category": "\ud800"}, 404, "There is no category"),
        ("POST", "/api/ledger/backup", {}, 400, "The request lacks `path`."),
        ("POST", "/api/ledger/backup", {"path": "backup"}, 400, "The path of a backup must be absolute."),
        ("POST", "/api/ledger/backup", {"path": "/a\0b"}, 400, "The path of a backup must be absolute."),
        ("POST", "/api/ledger/backup", {"path": "/tmp/\udcff"}, 409, "The name of a backup must be UTF-8."),
        ("POST", "/api/ledger/backup", {"path": "/dev/null"}, 409, "/dev/null is there already"),
        ("POST", "/api/ledger/backup", {"path": "/no/where"}, 409, "/no/where.part cannot be written"),
        ("POST", "/api/models/prune", {"remove": "yes"}, 400, "`remove` is no truth value."),
        ("GET", "/api/models/pull", None, 405, "GET /api/models/pull: Method Not Allowed."),
        ("POST", "/api/pause", b" " * (LARGEST_BODY + 1), 413, "The request is too long."),
    ],
)
async def test_a_wrong_request_is_refused_with_its_reason(
    control: Control, method: str, route: str, body: object, status: int, error: str
) -> None:
    said = await control.ask(route, method, body)
    refusal = messages.from_wire(messages.Error, said[1])
    assert (said[0], refusal.error[: len(error)]) == (status, error)
    assert len(refusal.error) < 200
    assert await control.well()


async def test_the_models_are_told_and_cleared_away(control: Control) -> None:
    status, said = await control.ask("/api/models")
    told = messages.from_wire(model_messages.Models, said)
    assert (status, told.whole, told.pulling, told.missing) == (200, False, None, 80_000_000)
    assert told.models[0] == model_messages.Model(
        name="nsfw_1",
        path=str(Path(told.folder) / "nsfw_1.onnx"),
        state="missing",
        presets=["fast"],
        needed_by="content_analyser",
        size=80_000_000,
        licence="Apache-2.0",
        non_commercial=False,
    )
    old = Path(told.folder) / "old.onnx"
    await asyncio.to_thread(_write, old)
    for body, removed in ((None, False), ({"remove": True}, True)):
        _, said = await control.ask("/api/models/prune", "POST", body)
        pruned = messages.from_wire(model_messages.Pruned, said)
        assert ([file.path for file in pruned.files], pruned.size, pruned.removed) == ([str(old)], 3, removed)
        assert old.is_file() is not removed
    _, said = await control.ask("/api/models/prune", "POST")
    assert said["text"] == "There is nothing that no preset needs."


def _write(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(b"old")


async def test_without_facefusion_the_models_are_refused_with_what_to_do(control: Control) -> None:
    control.facefusion.clear()
    for method, route in (
        ("GET", "/api/models"),
        ("POST", "/api/models/pull"),
        ("POST", "/api/models/verify"),
        ("POST", "/api/models/prune"),
    ):
        status, said = await control.ask(route, method)
        refusal = messages.from_wire(messages.Error, said)
        assert (status, refusal.error) == (409, "No FaceFusion is set up, so there are no models.")
        assert refusal.advice == "Run `faceswapd setup`."
    with pytest.raises(Refused, match="No FaceFusion is set up"):  # a daemon that has no store at all
        await model_handlers.models(replace(control.house, models=None))


async def test_names_that_are_no_text_are_found_as_they_are(control: Control) -> None:
    name = os.fsdecode(b"bytes-\xff.mp4")
    status, said = await control.ask(f"/api/explain?path={quote(os.fsencode(name))}")
    assert status == 200
    assert os.fsencode(said["path"]).endswith(b"bytes-\xff.mp4")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /api/status HTTP/9.9\r\n\r\n",
        b"GET /api/nothing HTTP/1.1\r\nHost: [::1\r\n\r\n",
        b"GET /api/nothing HTTP/1.1\r\nHost: \xff\r\n\r\n",
        b"GET /api/find?path=\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http://elsewhere/api/status HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /api/pause HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
        b"POST /api/pause HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n{}",
        b"POST /api/pause HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
        b"GET /api/status HTTP/1.1\r\n" + b"A: b\r\n" * 50_000,
        b"GET /" + b"x" * 1_000_000,
        b"POST /api/pause HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\n" + b"x" * 5_000_000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=range(15),
)
async def test_no_bytes_are_an_error_of_ours(control: Control, data: bytes) -> None:
    with capture_logs() as said:
        assert b" 500 " not in (await control.raw(data)).partition(b"\r\n")[0]
        assert await control.well()
    assert OWN_ERROR not in {line["event"] for line in said}


async def test_random_requests_are_no_error_of_ours(control: Control) -> None:
    chance = random.Random(20260101)
    pieces = [
        *(path.replace("ID", "1") for _, path in documented()),
        *(
            "GET ",
            "POST ",
            "HEAD ",
            " HTTP/1.1\r\n",
            "\r\n",
            "Host: x\r\n",
            "Content-Length: 3\r\n",
            "?",
            "path=",
            "%00",
        ),
        *("seconds=0", "limit=", "&", "state=queued", "{}", '{"inbox":', "\x00", "\xff", "9" * 40, "/../", "%ff", ":"),
    ]
    requests: list[bytes] = []
    while len(requests) < 500:
        if chance.random() < 0.2:
            data = chance.randbytes(chance.randrange(1, 300))
        else:
            said = "".join(chance.choices(pieces, k=chance.randrange(1, 10)))
            data = (said if chance.random() < 0.5 else f"GET {said} HTTP/1.1\r\nHost: x\r\n\r\n").encode("latin-1")
        requests.append(data)
    with capture_logs() as logged:
        for start in range(0, len(requests), 50):
            some = requests[start : start + 50]
            answers = await asyncio.gather(*map(control.raw, some))
            assert [data for data, answer in zip(some, answers, strict=True) if b" 500 " in answer[:20]] == []
    assert OWN_ERROR not in {line["event"] for line in logged}
    assert await control.well()


async def test_a_wait_ends_with_the_job(control: Control) -> None:
    waiting = asyncio.create_task(control.ask("/api/jobs/1/wait?seconds=15"))
    await asyncio.wait([waiting], timeout=0.1)
    assert not waiting.done()
    await outcomes.request_cancel(control.ledger, 1, time.time())
    async with asyncio.timeout(5):
        status, said = await waiting
    assert (status, said["job"]["state"]) == (200, "cancelled")


async def test_a_wait_and_a_search_end_when_their_time_is_over(control: Control) -> None:
    begun = time.monotonic()
    (_, waited), (_, found) = await asyncio.gather(
        control.ask("/api/jobs/1/wait?seconds=0.4"), control.ask("/api/find?path=none.mp4&seconds=0.4")
    )
    assert waited["job"]["state"] == "queued"
    assert found == {"jobs": [], "total": 0, "next": None}
    assert 0.4 <= time.monotonic() - begun < 10


async def test_a_search_ends_when_the_job_is_there(control: Control) -> None:
    target = control.path.parent / "inbox" / "3.mp4"
    searching = asyncio.create_task(control.ask(f"/api/find?path={quote(str(target))}&seconds=15"))
    await asyncio.wait([searching], timeout=0.1)
    assert not searching.done()
    facts = Facts(Kind.VIDEO, "third", 10, 64, 48, 10, 1.0, 0, 0)
    new = Arrival(
        str(target), "3.mp4", Signature(3, 10, 1), Kind.VIDEO, "inbox", "balanced", 0, "keep", facts, face="alice"
    )
    await admission.admit(control.ledger, [new], time.time())
    async with asyncio.timeout(5):
        _, said = await searching
    assert [job["target"] for job in said["jobs"]] == [str(target)]


async def test_no_answer_is_worked_on_for_one_who_has_hung_up(control: Control) -> None:
    routes = ("/api/jobs/1/wait?seconds=60", "/api/find?path=none.mp4&seconds=60")
    writers = []
    for route in routes:
        _, writer = await asyncio.open_unix_connection(control.path)
        writer.write(f"GET {route} HTTP/1.1\r\nHost: daemon\r\n\r\n".encode())
        writers.append(writer)
    assert await control.well()
    answering = [task for task in asyncio.all_tasks() if task.get_name().startswith("answer to")]
    assert len(answering) == len(routes)
    for writer in writers:
        writer.close()
    done, _ = await asyncio.wait(answering, timeout=SECONDS)
    assert len(done) == len(routes)


async def test_of_several_requests_in_a_row_none_is_worked_on_for_one_who_has_hung_up(control: Control) -> None:
    _, writer = await asyncio.open_unix_connection(control.path)
    ask = "GET /api/jobs/1/wait?seconds=60 HTTP/1.1\r\nHost: daemon\r\n\r\n"
    writer.write((ask * 3).encode())
    assert await control.well()
    answering = [task for task in asyncio.all_tasks() if task.get_name().startswith("answer to")]
    assert len(answering) == 1
    writer.transport.abort()
    done, _ = await asyncio.wait(answering, timeout=SECONDS)
    assert len(done) == 1


KNOCK = """
import os, socket, sys
with socket.socket(socket.AF_UNIX) as one:
    os.setuid(int(sys.argv[2]))
    one.connect(sys.argv[1])
    one.sendall(b"POST /api/stop HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n")
    print(one.makefile("rb").readline().decode())
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
@pytest.mark.parametrize(("uid", "status"), [(0, 200), (65534, 403)])
async def test_only_the_daemons_own_user_is_answered(control: Control, uid: int, status: int) -> None:
    control.path.chmod(0o666)  # even where the rights of the socket let others in
    for folder in control.path.parents:
        if folder.stat().st_mode & 0o055 != 0o055:
            folder.chmod(0o755)
    arguments = [sys.executable, "-c", KNOCK, str(control.path), str(uid)]
    done = await asyncio.to_thread(subprocess.run, arguments, capture_output=True, text=True, timeout=20)
    assert f" {status} " in done.stdout, done.stderr
    assert control.orders == (["stop"] if status == 200 else [])
