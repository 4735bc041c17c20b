"""schemathesis reads the OpenAPI document, and looks for requests that the daemon answers otherwise than it says."""

import asyncio
import importlib.util
import sys
from pathlib import Path

import pytest

from faceswapd.control.doors import wrong_keys
from faceswapd.control.routes import handlers
from tests.control.serving import Control

SECONDS = 600.0
LEFT_OUT = (
    "/api/stream",  # never ends
    "/api/models/pull",  # would go and fetch
)
# A part of an upload by tus: schemathesis cannot say its media type.
NOT_SPOKEN = ("patchUploadsUpload", "postUploadsUpload")
# Beside the usual ones: what is gone (410), and what a client of another version of tus is told (412).
REFUSALS = (
    "[checks.negative_data_rejection]\nexpected-statuses = [400, 401, 403, 404, 405, 409, 410, 412, 413, 415, 422]\n"
)
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "ignored_auth",
)


@pytest.mark.deep
@pytest.mark.skipif(importlib.util.find_spec("schemathesis") is None, reason="`make test-deep` installs schemathesis")
async def test_the_daemon_does_as_its_document_says(
    control: Control,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(handlers, "LONGEST_WAIT", 0.05)  # else each question that may be held open takes a minute
    monkeypatch.setattr(wrong_keys, "MOST_FAILURES", 1_000_000)  # it asks without a key, too, and must go on
    assert control.port is not None
    number = control.port.listening.getsockname()[1]
    token = control.path.with_name("token").read_text().strip()
    (tmp_path / "schemathesis.toml").write_text(REFUSALS, encoding="utf-8")
    left_out = [word for name in NOT_SPOKEN for word in ("--exclude-operation-id", name)]
    left_out += [word for path in LEFT_OUT for word in ("--exclude-path", path)]
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"http://127.0.0.1:{number}/api/openapi.json"),
        *("--header", f"Authorization: Bearer {token}", "--checks", ",".join(CHECKS), *left_out),
        *("--phases", "examples,coverage,fuzzing", "--max-examples", "100", "--seed", "1", "--no-color"),
        *("--generation-database", "none", "--request-timeout", "60", "--workers", "1"),
    ]
    running = await asyncio.create_subprocess_exec(
        *command, cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await asyncio.wait_for(running.communicate(), SECONDS)
    assert running.returncode == 0, said.decode()
    assert await control.well()
