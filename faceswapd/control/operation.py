"""One row of the table of routes: what it is called, what it hears and says, and who answers it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from starlette.requests import Request

from faceswapd.control.live import House

NOTHING: Final = ""  # an answer without a body, with status 204

Answer = Callable[[House, Request], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a request may say outside its body. `schema` is JSON Schema."""

    name: str
    schema: Mapping[str, object]
    meaning: str
    where: Literal["path", "query", "header"] = "query"
    required: bool = False


@dataclass(frozen=True, slots=True)
class Hears:
    """A body that is no JSON."""

    media_type: str
    schema: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Operation:
    """One request that can be made. `answer` gives a message of the wire, or a Response of its own."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
    path: str
    answer: Answer
    summary: str
    says: type | str  # the message, or the media type of what is none, or NOTHING
    hears: type | Hears | None = None
    parameters: tuple[Parameter, ...] = ()
    status: int = 200  # of a request that went well
    refusals: tuple[int, ...] = ()  # beside 401, 403, 429, 500 and 503, which all can say
    open: bool = False  # answered to everybody, without a token
    local: bool = False  # answered on the Unix socket alone
    also: tuple[tuple[int, type], ...] = ()  # further statuses that are no refusal, with what they say
    parts: tuple[type, ...] = ()  # the messages within an answer that is no JSON as a whole
    carries: Mapping[str, str] = field(default_factory=dict)  # headers of all its answers, refusals too


NUMBER: Final = Parameter("number", {"type": "integer", "minimum": 1}, "the job's id", "path", required=True)
PATH: Final = Parameter("path", {"type": "string", "minLength": 1}, "a file", required=True)


def waits(usual: float) -> Parameter:
    """How long a question may be held open."""
    return Parameter(
        "seconds",
        {"type": "number", "minimum": 0, "maximum": 999999, "default": usual},
        "how long the daemon waits for what is asked for, at most a minute",
    )


@dataclass(frozen=True, slots=True)
class Told:
    """An answer with a status that is not the operation's usual one."""

    message: object
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)  # beside the usual ones
