"""A file that was read becomes an arrival: whose face it gets, and what is asked of it."""

from pathlib import Path

from faceswapd.core import intake
from faceswapd.core.asking import NOTHING_ASKED
from faceswapd.core.intake import Pairing, Parts, Rules
from faceswapd.core.job import Parked
from faceswapd.core.target import Facts, Unreadable, kind_of
from faceswapd.ledger.admission import Arrival
from faceswapd.runtime.intake.listing import Found
from faceswapd.runtime.intake.sidecars import Failed, Sheets
from faceswapd.settings import InboxSettings


def arrival_of(
    path: str,
    found: Found,
    answer: Facts | Unreadable,
    sheets: Sheets,
    rules: Rules,
    bundles: frozenset[Parts],
    inbox: InboxSettings,
) -> Arrival:
    """The arrival of a file that was read, or that cannot be."""
    facts = answer if isinstance(answer, Facts) else None
    asked = sheets.asked(rules, facts, found.changed)
    question = NOTHING_ASKED if isinstance(asked, Failed) else asked
    pairing = intake.pair(found.parts, rules, bundles, question.named)
    wish = question.wish(pairing.heard)
    parked: Parked | None = None
    reason: str | None = None
    if isinstance(answer, Unreadable):
        parked = Parked.INCOMPLETE if answer.incomplete else Parked.UNREADABLE
        reason = answer.sentence
    elif isinstance(asked, Failed):
        parked, reason = Parked.MISTAKEN, asked.sentence
    elif pairing.face is None:
        parked, reason = Parked.NEEDS_FACE, pairing.sentence
    kind = kind_of(Path(found.parts[-1]).suffix)
    assert kind is not None, "a file of another name is no candidate"
    return Arrival(
        target=path,
        relative="/".join(found.parts),
        signature=found.signature,
        kind=kind,
        inbox=inbox.name,
        preset=question.own.preset or pairing.preset or question.folders.preset or inbox.preset,
        priority=inbox.priority if wish.priority is None else wish.priority,
        afterwards=inbox.afterwards,
        facts=facts,
        face=pairing.face,
        bundle=bundle_of(inbox, pairing),
        rule=pairing.rule,
        parked=parked,
        reason=reason,
        options=tuple(sorted({**inbox.options, **dict(wish.options)}.items())),
        wish=wish,
        sidecar=sheets.text,
    )


def bundle_of(inbox: InboxSettings, pairing: Pairing) -> str | None:
    """The folder whose own photos are the face; None where another face was found."""
    return None if pairing.bundle is None else str(inbox.path.joinpath(*pairing.bundle))
