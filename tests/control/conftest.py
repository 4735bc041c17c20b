"""The server that most tests of this folder ask."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from faceswapd.control.doors.port import open_port
from faceswapd.control.files.storage import Storage
from faceswapd.control.files.thumbnails import Thumbnails
from faceswapd.control.live import House, InboxLive, Live, Orders
from faceswapd.control.server import Server, listen
from faceswapd.core.gate import Gate
from faceswapd.core.intake import Face, Rules, Signature
from faceswapd.core.job import Parked
from faceswapd.core.mounts import way_of
from faceswapd.core.target import Facts, Kind
from faceswapd.engines.facefusion.model_store import ModelStore
from faceswapd.ledger import admission, standing
from faceswapd.ledger.admission import Arrival
from faceswapd.ledger.connection import Ledger
from faceswapd.media.examiner import Examiner
from faceswapd.runtime.health.beats import Beats
from faceswapd.runtime.intake.desk import Desk
from faceswapd.runtime.notifying.webhooks import Webhooks
from faceswapd.settings import Settings
from faceswapd.settings.schema import HttpSettings, InboxSettings, WebhookSettings
from tests.control.serving import Control
from tests.engines.facefusion.small_root import installed, small_root
from tests.runtime.workplace import CHILD


@pytest.fixture
async def control(tmp_path: Path) -> AsyncIterator[Control]:
    ledger = await Ledger.open(tmp_path / "ledger.sqlite3")
    await standing.begin(ledger, "a-boot", os.getpid())
    inbox = tmp_path / "inbox"
    signature = Signature(1, 10, 1)
    facts = Facts(Kind.VIDEO, "content", 10, 64, 48, 10, 1.0, 0, 0)
    usual: dict[str, Any] = {
        "signature": signature,
        "kind": Kind.VIDEO,
        "inbox": "inbox",
        "preset": "balanced",
        "priority": 0,
        "afterwards": "keep",
    }
    queued = Arrival(str(inbox / "1.mp4"), "1.mp4", facts=facts, face="alice", rule="it is the only face", **usual)
    other = Facts(Kind.VIDEO, "other", 10, 64, 48, 10, 1.0, 0, 0)
    parked = Arrival(
        str(inbox / "2.mp4"), "2.mp4", facts=other, parked=Parked.NEEDS_FACE, reason="There is no face yet.", **usual
    )
    await admission.admit(ledger, [queued, parked], time.time())
    orders: list[str] = []
    live = Live(
        gate=Gate(),
        reading=None,
        inboxes=(InboxLive("inbox", str(inbox), "balanced", 0, None, way_of("ext4"), {}, {}, frozenset()),),
        rules=Rules.of([Face("alice")], ("balanced",)),
        courses=(),
        draining=False,
        engine="preview",
        engine_why="built in",
        slots=1,
        started_at=time.time(),
        folder=str(tmp_path),
        outbox=str(tmp_path / "outbox"),
    )

    def stop() -> str:
        orders.append("stop")
        return "The daemon stops."

    facefusion = [installed(small_root(tmp_path / "facefusion"))]
    models = ModelStore(
        lambda: facefusion[0] if facefusion else None,
        lambda _: {"fast": ("--processors", "face_swapper")},
        tmp_path / "models",
    )
    examiner = Examiner(argv=CHILD)
    desk = Desk(ledger, examiner)
    port = open_port(HttpSettings(enabled=True, port=0, hosts=("studio.example",)), tmp_path / "token")
    told = Orders(stop, lambda: orders.append("look"), lambda _: None)
    storage = Storage(_settings(tmp_path), Thumbnails(tmp_path / "thumbnails", examiner))
    webhook = WebhookSettings(url="http://127.0.0.1/key", name="hook", format="text")
    webhooks = Webhooks((webhook,), ledger, lambda *_: None, Beats())
    house = House(ledger, lambda: live, told, desk, models, port.network, storage=storage, webhooks=webhooks)
    path = tmp_path / "control.sock"
    with listen(path) as listening, port.listening:
        serving = asyncio.create_task(Server(house, listening, port=port).run())
        yield Control(ledger, path, house, orders, facefusion, port)
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving
    await desk.close()
    await storage.thumbnails.close()
    await examiner.close()
    await ledger.close()


def _settings(folder: Path) -> Settings:
    names = ("faces", "outbox", "failed", "done", "state")
    places: dict[str, Any] = {name: folder / name for name in names}
    places["state"].mkdir()
    return Settings(**places, inbox=(InboxSettings(path=folder / "inbox", name="inbox"),))
