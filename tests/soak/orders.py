"""What people ask by the control socket. Each answer is remembered, since an answer is a promise."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from faceswapd.control.wire import messages
from faceswapd.ctl.client import UNREACHABLE, Problem
from tests.soak.book import Book
from tests.soak.dice import Dice
from tests.soak.drops import Drops
from tests.soak.farm import FACES, INBOXES
from tests.soak.life import ANSWER_SECONDS, Lives

MOST_LYING = 250  # files; somebody tidies up when there are more


@dataclass(slots=True)
class Orders:
    """All that is asked."""

    lives: Lives
    book: Book
    dice: Dice
    drops: Drops
    later: Callable[[float, Callable[[], None]], None]  # do something after some seconds
    counts: Counter[str] = field(default_factory=Counter)

    def jobs(self, *states: str) -> list[messages.Job]:
        if not self.lives.answers:
            return []
        route = "/api/jobs?limit=60" + "".join(f"&state={state}" for state in states)
        answer = self.lives.farm.client.get(messages.Jobs, route, ANSWER_SECONDS)
        if isinstance(answer, Problem):
            self.lives.unanswered(answer, route)
            return []
        return list(answer.jobs)

    def _order(self, route: str, **body: Any) -> str | None:
        """Give an order; what was answered, or None where it was refused or the daemon is away."""
        if not self.lives.answers:
            return None
        answer = self.lives.farm.client.post(messages.Done, route, body, ANSWER_SECONDS)
        if isinstance(answer, messages.Done):
            return answer.text
        if answer.code == UNREACHABLE:
            self.lives.unanswered(answer, route)
        return None

    def cancel(self) -> None:
        found = self.jobs("queued", "running", "parked")
        if found:
            job = self.dice.one(found)
            said = self._order(f"/api/jobs/{job.id}/cancel")
            if said is not None:
                self.counts["cancel"] += 1
                if said.endswith("is cancelled."):
                    self.book.cancelled.add(job.id)

    def retry(self) -> None:
        found = self.jobs("failed", "cancelled")
        if found:
            self.retry_job(self.dice.one(found).id)

    def retry_job(self, job: int) -> None:
        self.book.cancelled.discard(job)
        if self._order(f"/api/jobs/{job}/retry") is not None:
            self.counts["retry"] += 1

    def assign(self) -> None:
        found = [job for job in self.jobs("parked") if job.category == "needs_face"]
        if found:
            job = self.dice.one(found)
            if self._order(f"/api/jobs/{job.id}/assign", face=self.dice.one(FACES)) is not None:
                self.book.assigned.add(job.id)
                self.counts["assign"] += 1

    def pause(self) -> None:
        """The daemon or an inbox, for some seconds."""
        inbox = self.dice.one([None, *INBOXES])
        body = {} if inbox is None else {"inbox": inbox}
        if self._order("/api/pause", **body) is not None:
            self.counts["pause"] += 1
            self.later(self.dice.between(1, 6), lambda: self.resume(inbox))

    def resume(self, inbox: str | None) -> None:
        body = {} if inbox is None else {"inbox": inbox}
        if self._order("/api/resume", **body) is None:
            self.later(2.0, lambda: self.resume(inbox))

    def replace_running(self) -> None:
        found = self.jobs("running")
        if found and self.drops.replace_target(self.dice.one(found).target, "replaced while running"):
            self.counts["replaced while running"] += 1

    def remove_queued(self) -> None:
        found = self.jobs("queued")
        if found:
            target = self.dice.one(found).target
            if self.book.lying(target) is not None:
                self.drops.remove(target, "removed while queued")

    def tidy(self) -> None:
        """Somebody takes away what has succeeded long ago."""
        lying = self.book.all_lying()
        if len(lying) > MOST_LYING:
            for drop in lying[: len(lying) - MOST_LYING]:
                self.drops.remove(drop.path, "tidied up")

    def look(self) -> None:
        """Questions that change nothing."""
        self.lives.status()
        self.counts["look"] += 1
