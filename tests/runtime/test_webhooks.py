"""The loop that tells other programs what happens, on the real ledger and real receivers."""

import asyncio
import base64
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook
from structlog.testing import capture_logs

from faceswapd.ledger import deliveries, outcomes, standing
from faceswapd.ledger.connection import Ledger
from faceswapd.runtime.health.beats import Beats
from faceswapd.runtime.notifying.notices import Notices
from faceswapd.runtime.notifying.webhooks import MOST_AT_ONCE, Webhooks
from faceswapd.settings.schema import WebhookSettings
from tests.ledger.arrivals import admit, arrival
from tests.ledger.test_full import filled, limit
from tests.runtime.receiving import OK, Message, Receiver, receiving, status

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
SECONDS = 20.0


@dataclass
class Clock:
    now: float = field(default_factory=time.time)

    def __call__(self) -> float:
        return self.now


@dataclass
class House:
    """A ledger, and lives of the webhooks on it."""

    ledger: Ledger
    clock: Clock = field(default_factory=Clock)
    notices: Notices = field(default_factory=Notices)

    @contextlib.asynccontextmanager
    async def telling(self, *settings: WebhookSettings) -> AsyncIterator[Webhooks]:
        """One life."""
        webhooks = Webhooks(settings, self.ledger, self.notices.tell, Beats(), self.clock)
        await webhooks.begin()
        running = asyncio.create_task(webhooks.run())
        try:
            yield webhooks
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

    async def queue(self, *names: str) -> list[int]:
        return await admit(self.ledger, *map(arrival, names), now=self.clock.now)

    def later(self, seconds: float) -> None:
        self.clock.now += seconds
        self.ledger.bell.ring()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for something that follows a ring of the bell."""
        async with asyncio.timeout(SECONDS):
            while not holds():
                await self.ledger.bell.after(self.ledger.bell.count, 0.02)
                await asyncio.sleep(0)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    ledger = await Ledger.open(tmp_path / "ledger.sqlite3")
    yield House(ledger)
    await ledger.close()


def hook(receiver: Receiver, **given: Any) -> WebhookSettings:
    usual = {"url": receiver.url, "name": "hook", "secret": SECRET, "allow_private": True}
    return WebhookSettings(**{**usual, **given})


def said(message: Message) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(message.body)
    return content


async def test_what_happens_is_told_and_signed(house: House) -> None:
    async with receiving() as receiver, house.telling(hook(receiver)) as webhooks:
        (job,) = await house.queue("clip.mp4")
        message = await receiver.next()
        assert Webhook(SECRET).verify(message.body, message.headers) == said(message)
        assert (said(message)["type"], said(message)["data"]["job"]["id"]) == ("job.queued", job)
        await standing.gate(house.ledger, "The disk is full.", house.clock.now)
        assert said(await receiver.next())["data"]["reason"] == "The disk is full."
        await house.until(lambda: webhooks.states()[0].delivered == 2)
        (state,) = webhooks.states()
        assert (state.waiting, state.last_error, state.last_success_at) == (0, None, house.clock.now)


async def test_what_is_refused_comes_again_under_the_same_id_and_with_a_new_time(house: House) -> None:
    answers = [status(500), status(429), OK]
    async with receiving(lambda _: answers.pop(0)) as receiver, house.telling(hook(receiver)) as webhooks:
        await house.queue("clip.mp4")
        first = await receiver.next()
        await house.until(lambda: webhooks.states()[0].last_error == "It answered HTTP 500.")
        house.later(4.9)
        await asyncio.sleep(0.02)
        assert receiver.came.empty()
        house.later(0.2)
        second = await receiver.next()
        await house.until(lambda: webhooks.states()[0].last_error == "It answered HTTP 429.")
        house.later(31)
        third = await receiver.next()
        await house.until(lambda: webhooks.states()[0].delivered == 1)
    ids = {message.headers["webhook-id"] for message in (first, second, third)}
    times = {message.headers["webhook-timestamp"] for message in (first, second, third)}
    assert (len(ids), len(times)) == (1, 3)
    assert {message.body for message in (first, second, third)} == {first.body}
    assert Webhook(SECRET).verify(third.body, third.headers)


async def test_a_connection_that_is_refused_is_tried_again_when_somebody_listens(house: House) -> None:
    async with receiving() as receiver:
        port = receiver.port
    async with house.telling(hook(receiver)) as webhooks:
        await house.queue("clip.mp4")
        await house.until(lambda: webhooks.states()[0].last_error == "127.0.0.1 refuses the connection.")
        server = await asyncio.start_server(receiver.handle, "127.0.0.1", port)
        house.later(6)
        assert said(await receiver.next())["type"] == "job.queued"
        await house.until(lambda: webhooks.states()[0].delivered == 1)
        server.close()


async def test_of_one_job_each_event_waits_for_the_one_before_and_other_jobs_do_not(house: House) -> None:
    refused: set[str] = set()

    def answer(message: Message) -> bytes:
        first = said(message)["data"]["job"]["target"] == "1.mp4" and message.headers["webhook-id"] not in refused
        if first and not refused:
            refused.add(message.headers["webhook-id"])
            return status(503)
        return OK

    async with receiving(answer) as receiver, house.telling(hook(receiver)) as webhooks:
        for job in await house.queue("1.mp4", "2.mp4"):
            await outcomes.request_cancel(house.ledger, job, house.clock.now)
        await house.until(lambda: webhooks.states()[0].delivered == 2)
        house.later(6)
        await house.until(lambda: webhooks.states()[0].delivered == 4)
        came = [said(receiver.came.get_nowait()) for _ in range(receiver.came.qsize())]
    of_first = [one["type"] for one in came if one["data"]["job"]["target"] == "1.mp4"]
    assert of_first == ["job.queued", "job.queued", "job.cancelled"]
    of_second = [one["type"] for one in came if one["data"]["job"]["target"] == "2.mp4"]
    assert of_second == ["job.queued", "job.cancelled"]


async def test_a_slow_receiver_gets_few_at_once_and_holds_up_no_other(house: House) -> None:
    go_on = asyncio.Event()
    async with receiving(lambda _: go_on) as slow, receiving() as quick:
        async with house.telling(hook(slow), hook(quick, name="quick")) as webhooks:
            await house.queue(*(f"{number}.mp4" for number in range(3 * MOST_AT_ONCE)))
            await house.until(lambda: webhooks.states()[1].delivered == 3 * MOST_AT_ONCE)
            assert webhooks.states()[0].delivered == 0
            go_on.set()
            await house.until(lambda: webhooks.states()[0].delivered == 3 * MOST_AT_ONCE)
        assert slow.most == MOST_AT_ONCE


async def test_a_restart_in_the_middle_loses_nothing_and_says_what_it_repeats(house: House) -> None:
    never = asyncio.Event()
    silent = True
    async with receiving(lambda _: never if silent else OK) as receiver:
        async with house.telling(hook(receiver)):
            await house.queue("1.mp4")
            cut_off = await receiver.next()  # it may have been taken: nobody knows
        never.set()
        silent = False
        await house.queue("2.mp4")  # while nobody tells
        async with house.telling(hook(receiver)) as webhooks:
            await house.until(lambda: webhooks.states()[0].delivered == 2)
        async with house.telling(hook(receiver)) as webhooks:  # and once more, with nothing to do
            assert webhooks.states()[0].waiting == 0
        came = [receiver.came.get_nowait() for _ in range(receiver.came.qsize())]
    assert sorted(said(one)["data"]["job"]["target"] for one in came) == ["1.mp4", "2.mp4"]
    again = next(one for one in came if said(one)["data"]["job"]["target"] == "1.mp4")
    assert again.headers["webhook-id"] == cut_off.headers["webhook-id"]


async def test_who_is_gone_for_good_is_told_nothing_until_the_next_start(house: House) -> None:
    answers = [status(410)]
    async with receiving(lambda _: answers.pop(0) if answers else OK) as receiver:
        async with house.telling(hook(receiver)) as webhooks:
            (job,) = await house.queue("1.mp4")
            await house.until(lambda: webhooks.states()[0].off is not None)
            await house.until(lambda: webhooks.states()[0].given_up == 1)
            await outcomes.request_cancel(house.ledger, job, house.clock.now)
            house.later(7200)
            (notice,) = house.notices.all
            assert notice == (
                "The webhook hook is switched off: It answered that it is gone for good (HTTP 410). "
                "Nothing more is sent until the daemon is restarted."
            )
            await house.until(lambda: webhooks.states()[0].waiting == 0)
            assert receiver.came.qsize() == 1
        async with house.telling(hook(receiver)) as webhooks:
            await house.queue("2.mp4")
            await house.until(lambda: webhooks.states()[0].delivered > 0)


async def test_after_a_day_it_is_given_up(house: House) -> None:
    async with receiving(lambda _: status(500)) as receiver, house.telling(hook(receiver)) as webhooks:
        await house.queue("1.mp4")
        tries = 0
        while not webhooks.states()[0].given_up:
            await receiver.next()
            tries += 1
            if tries == 3:
                await house.until(lambda: len(house.notices.all) == 1)
                assert house.notices.all == ("The webhook hook takes nothing (1 waiting): It answered HTTP 500.",)
            rows = await _attempts(house, tries)
            house.later(3601 if not rows else max(0.0, rows[0] - house.clock.now) + 1)
        assert tries == 29


async def _attempts(house: House, tries: int) -> list[float]:
    """When what waits is sent next, as soon as so many tries are written down."""
    async with asyncio.timeout(SECONDS):
        while True:
            rows = await house.ledger.rows("SELECT state, attempt, not_before FROM deliveries")
            if rows[0]["attempt"] == tries:
                return [row["not_before"] for row in rows if row["state"] == "waiting"]
            await house.ledger.bell.after(house.ledger.bell.count, 0.02)


async def test_a_test_is_sent_at_once_and_past_all_that_waits(house: House) -> None:
    answers = [status(500), OK]
    async with receiving(lambda _: answers.pop(0)) as receiver, house.telling(hook(receiver)) as webhooks:
        refused, taken = await webhooks.test("hook"), await webhooks.test("hook")
        assert refused is not None
        assert taken is not None
        assert (refused.accepted, refused.status, refused.text) == (False, 500, "It answered HTTP 500.")
        assert (taken.accepted, taken.status) == (True, 204)
        assert await webhooks.test("other") is None
        message = await receiver.next()
        assert Webhook(SECRET).verify(message.body, message.headers)["type"] == "webhook.test"
        assert webhooks.states()[0].delivered == 0


async def test_other_services_get_their_own_words(house: House) -> None:
    async with receiving() as slack, receiving() as ntfy:
        settings = (hook(slack, format="slack", secret=""), hook(ntfy, name="ntfy", format="text", secret=""))
        async with house.telling(*settings):
            await house.queue("clip.mp4")
            to_slack, to_ntfy = await slack.next(), await ntfy.next()
    assert said(to_slack) == {"text": "Job 1 waits in the queue: clip.mp4 (alice)."}
    assert to_ntfy.body.decode() == "Job 1 waits in the queue: clip.mp4 (alice)."
    assert to_ntfy.headers["title"] == "faceswapd: job 1 queued"
    assert "webhook-signature" not in to_slack.headers


async def test_a_webhook_that_is_taken_out_is_told_once(house: House) -> None:
    async with receiving(lambda _: status(500)) as receiver, house.telling(hook(receiver)) as webhooks:
        await house.queue("1.mp4")
        await house.until(lambda: webhooks.states()[0].last_error is not None)
    with capture_logs() as logs:
        async with house.telling():
            pass
        async with house.telling():
            pass
    told = [(line["event"], line["dropped"]) for line in logs if "dropped" in line]
    assert told == [("a webhook is no longer in the configuration", 1)]


async def test_no_secret_stands_in_a_log_or_a_state(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with capture_logs() as logs:
        async with receiving(lambda _: status(500)) as receiver, house.telling(hook(receiver)) as webhooks:
            await house.queue("1.mp4")
            await house.until(lambda: webhooks.states()[0].last_error is not None)
            told = repr((logs, webhooks.states(), house.notices.all, await webhooks.test("hook"))) + caplog.text
            told += repr([tuple(row) for row in await house.ledger.rows("SELECT * FROM deliveries")])
    assert "It answered HTTP 500." in told
    for secret in (SECRET, SECRET.removeprefix("whsec_"), "secret=1", "/key"):
        assert secret not in told


@pytest.mark.parametrize(
    ("content", "mode", "why"),
    [
        (SECRET + "\n", 0o600, None),
        (SECRET, 0o644, "Others may read the file"),
        ("hunter2", 0o600, "is no secret: whsec_"),
        (None, 0o600, "cannot be read: No such file or directory."),
    ],
)
async def test_a_secret_lies_in_a_file_that_nobody_else_reads(
    house: House, tmp_path: Path, content: str | None, mode: int, why: str | None
) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_text(content)
        file.chmod(mode)
    async with receiving() as receiver:
        async with house.telling(hook(receiver, secret="", secret_file=file)) as webhooks:
            await house.queue("1.mp4")
            if why is None:
                message = await receiver.next()
                assert Webhook(SECRET).verify(message.body, message.headers)
            else:
                await house.until(lambda: webhooks.states()[0].waiting == 1)
                assert why in (webhooks.states()[0].off or "")
                assert why in house.notices.all[0]
                tried = await webhooks.test("hook")
                assert tried is not None
                assert not tried.accepted
                assert receiver.came.empty()
                assert "hunter2" not in repr((webhooks.states(), house.notices.all))
        if why is not None:  # nothing is lost: it goes out as soon as the secret can be read
            file.write_text(SECRET)
            file.chmod(0o600)
            async with house.telling(hook(receiver, secret="", secret_file=file)) as webhooks:
                await house.until(lambda: webhooks.states()[0].delivered == 1)


async def test_a_full_disk_at_the_end_of_the_daemon_is_no_error_of_the_webhooks(house: House) -> None:
    async with receiving() as receiver:
        async with house.telling(hook(receiver)):
            pass
        await house.queue(*(f"{number}.mp4" for number in range(30)))
        await filled(house.ledger)
        house.ledger.hurry()
        async with house.telling(hook(receiver)) as webhooks:
            house.later(1)
            await asyncio.sleep(0.05)
            assert webhooks.states()[0].waiting == 0  # there is no room for so much
            await limit(house.ledger, 100_000)
            house.later(1)
            await house.until(lambda: webhooks.states()[0].delivered == 30)


@pytest.mark.parametrize("host", ["xn--a", "999.1.1.1"])
async def test_a_host_that_nobody_can_make_out_is_told_and_stops_nothing(house: House, host: str) -> None:
    settings = WebhookSettings(url=f"https://{host}/key", name="hook", format="text", allow_private=True)
    async with house.telling(settings) as webhooks:
        tried = await webhooks.test("hook")
        assert tried is not None
        assert not tried.accepted
        assert "host" in tried.text


async def test_without_webhooks_nothing_is_kept_and_nothing_runs(house: House) -> None:
    async with house.telling() as webhooks:
        await house.queue("1.mp4")
        assert webhooks.states() == ()
        assert await deliveries.tallies(house.ledger) == {}
