"""A program that is told by the real daemon what happens, over its kill and its next start."""

import json
import queue
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from tests.acceptance.conftest import NewFarm
from tests.acceptance.farm import JOB_SECONDS

SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


class Listener(ThreadingHTTPServer):
    """Keeps what comes."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.came: queue.Queue[dict[str, Any]] = queue.Queue()
        self.ids: set[str] = set()

    def until(self, kind: str) -> list[dict[str, Any]]:
        """All that came up to an event of this kind."""
        came: list[dict[str, Any]] = []
        while not came or came[-1]["type"] != kind:
            came.append(self.came.get(timeout=JOB_SECONDS))
        return came


class Handler(BaseHTTPRequestHandler):
    server: Listener

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        said = Webhook(SECRET).verify(body, dict(self.headers.items()))
        # What was under way when the daemon was killed comes twice.
        if self.headers["webhook-id"] not in self.server.ids:
            self.server.came.put(said)
        self.server.ids.add(self.headers["webhook-id"])
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing."""


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.deep
def test_a_job_is_told_from_its_start_to_its_end_and_secrets_are_not(
    new_farm: NewFarm, media: Path, listener: Listener, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "secret").chmod(0o600)
    url = f"http://127.0.0.1:{listener.server_port}/hooks/very-secret?key=also-secret"
    section = f'[[webhook]]\nurl = "{url}"\nsecret_file = "{tmp_path}/secret"\nallow_private = true\n'
    farm = new_farm(section)
    farm.start()
    assert "It was taken" in farm.ctl("webhook", "test", "127.0.0.1")
    assert listener.came.get(timeout=JOB_SECONDS)["type"] == "webhook.test"
    farm.drop(media / "photo.jpg")
    came = listener.until("job.succeeded")
    assert [one["type"] for one in came] == ["job.queued", "job.started", "job.succeeded"]
    assert came[-1]["data"]["job"]["output"] == "photo.jpg"
    farm.kill()
    farm.start()
    shutil.copy(media / "photo.png", farm.inbox / "photo.png")
    assert [one["type"] for one in listener.until("job.succeeded")] == ["job.queued", "job.started", "job.succeeded"]
    (told,) = farm.ctl_json("webhook")["webhooks"]
    assert (told["waiting"], told["given_up"], told["last_error"]) == (0, 0, None)
    farm.stop()
    log = (farm.folder / "state" / "logs" / "faceswapd.log").read_text(encoding="utf-8")
    for secret in ("very-secret", "also-secret", SECRET.removeprefix("whsec_")):
        assert secret not in log
        assert secret not in json.dumps(told)
