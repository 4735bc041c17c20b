"""A configuration file becomes Settings, or a list of problems."""

import contextlib
import copy
import difflib
import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import ValidationError
from pydantic_settings import SettingsError as UnreadableSourceError

from faceswapd.settings.checking import contradictions
from faceswapd.settings.problem import PREFIX, Location, Problem, SettingsError, Source
from faceswapd.settings.schema import Settings, locations

UNKNOWN: Final = "extra_forbidden"  # pydantic's word for a key that no setting has
FOLDERS: Final = ("faces", "outbox", "failed", "done", "state", "scratch", "socket")  # and one file among them
NEEDED: Final = ("inbox", "path", "name", "url", "secret")  # without which the rest may look wrong, too
NOT_SETTINGS: Final = ("FACESWAPD_SOCKET", "FACESWAPD_CONFIG", "FACESWAPD_KIN", "FACESWAPD_TEST_")  # read elsewhere


def load(config: Path) -> Settings:
    """Read and check a configuration file, with all its paths made absolute.

    Raises SettingsError with every problem found, each with its place and its remedy.
    """
    config = config.absolute()
    try:
        return _checked(config)
    except RecursionError:
        problem = Problem(str(config), "Its values are nested too deep.", "No setting has more than two levels.")
        raise SettingsError((problem,)) from None


def _checked(config: Path) -> Settings:
    try:
        text = config.read_text(encoding="utf-8")
        values = tomllib.loads(text)
    except FileNotFoundError:
        raise SettingsError(
            (Problem(str(config), "There is no such file.", f"Run `faceswapd init {config.parent}` to write one."),)
        ) from None
    except OSError as error:
        raise SettingsError(
            (Problem(str(config), f"It cannot be read: {error.strerror}.", "Mend its rights."),)
        ) from None
    except UnicodeDecodeError:
        raise SettingsError((Problem(str(config), "It is not UTF-8 text.", "Save it as UTF-8."),)) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError((_syntax_problem(config, error),)) from None
    source = Source(config, text)
    if private := [name for name in values if name.startswith("_")]:  # options of pydantic-settings, not ours
        raise SettingsError(tuple(_problem(source, _Detail((name,), UNKNOWN, "", None)) for name in private))
    try:
        settings = Settings(**values)
    except UnreadableSourceError as error:
        raise SettingsError((_variable_problem(error),)) from None
    except ValidationError as error:
        details = [_plain(detail) for detail in error.errors(include_url=False)]
        problems = [_problem(source, detail) for detail in details]
        raise SettingsError((*problems, *_further(source, values, details))) from None
    settings = _absolute(settings, config.parent)
    if contradicting := tuple(contradictions(source, settings)):
        raise SettingsError(contradicting)
    return settings


def _further(source: Source, values: dict[str, Any], details: "list[_Detail]") -> tuple[Problem, ...]:
    """What is wrong with the rest, so that all mistakes are told at once. The rest alone may look wrong where an
    inbox, a folder or an address is left out of it: then nothing is said of it yet."""
    rest = copy.deepcopy(values)
    for detail in details:
        last = detail.loc[-1]
        if isinstance(last, int) or (
            detail.kind != UNKNOWN and last in ("inbox", "path", "name", "url", "secret", *FOLDERS)
        ):
            return ()
        _take_out(rest, detail.loc)
    try:
        return tuple(contradictions(source, _absolute(Settings(**rest), source.path.parent)))
    except (ValidationError, UnreadableSourceError):  # it came from the environment
        return ()


def _take_out(values: Any, loc: Location) -> None:
    *way, last = loc
    with contextlib.suppress(LookupError, TypeError):
        for part in way:
            values = values[part]
        del values[last]


def unknown_variables() -> tuple[Problem, ...]:
    """Environment variables that look like settings and are none."""
    known = [PREFIX + "__".join(loc).upper() for loc in locations()]
    return tuple(
        Problem(f"environment variable {name}", "There is no such setting.", _nearest(name, known))
        for name in os.environ
        if name.startswith(PREFIX)
        and not name.startswith(NOT_SETTINGS)
        and not any(name.upper() == one or name.upper().startswith(one + "__") for one in known)
    )


def _absolute(settings: Settings, base: Path) -> Settings:
    def at(path: Path) -> Path:
        return Path(os.path.abspath(base / path))  # noqa: PTH100  not resolved: links stay as named

    paths = {name: at(value) for name in FOLDERS if (value := getattr(settings, name)) is not None}
    inboxes = tuple(
        inbox.model_copy(update={"path": at(inbox.path), "name": inbox.name or at(inbox.path).name})
        for inbox in settings.inbox
    )
    webhooks = tuple(
        webhook.model_copy(
            update={
                "name": webhook.name or _host(webhook.url),
                "secret_file": None if webhook.secret_file is None else at(webhook.secret_file),
            }
        )
        for webhook in settings.webhook
    )
    own = settings.engine.facefusion
    found = {name: at(value) for name in ("root", "python") if (value := getattr(own, name)) is not None}
    engine = settings.engine.model_copy(update={"facefusion": own.model_copy(update=found)})
    tls = {name: at(value) for name in ("certificate", "key") if (value := getattr(settings.http, name)) is not None}
    http = settings.http.model_copy(update=tls)
    return settings.model_copy(update={**paths, "inbox": inboxes, "webhook": webhooks, "engine": engine, "http": http})


def _host(url: str) -> str:
    with contextlib.suppress(ValueError):
        return urlsplit(url).hostname or ""
    return ""


@dataclass(frozen=True, slots=True)
class _Detail:
    """A validation error of pydantic's, in our own shape."""

    loc: Location
    kind: str
    message: str
    value: object


def _plain(detail: Any) -> _Detail:
    return _Detail(detail["loc"], detail["type"], detail["msg"], detail.get("input"))


def _problem(source: Source, detail: _Detail) -> Problem:
    where = source.where(detail.loc)
    if detail.kind == UNKNOWN:
        names = tuple(str(part) for part in detail.loc if isinstance(part, str))
        siblings = [loc[-1] for loc in locations() if loc[:-1] == names[:-1]]
        if len(names) == 1:
            siblings += list(Settings.model_fields)
        homes = [
            ".".join(loc[:-1])
            for loc in locations()
            if loc[-1] == names[-1] and len(loc) > 1 and loc[:-1] != names[:-1]
        ]
        remedy = f"It belongs under [{homes[0]}]." if homes else _nearest(names[-1], siblings)
        return Problem(where, f"There is no setting `{names[-1]}` here.", remedy)
    if detail.loc == ("preset",) and isinstance(detail.value, str):  # a word that is a section's name, too
        return Problem(where, "There is no setting `preset` here.", "It belongs under [inbox].")
    secret = detail.loc[0] == "webhook" and not set(detail.loc) & {"name", "format", "events", "allow_private"}
    value = "" if secret or isinstance(detail.value, dict | list) else f" (it is {detail.value!r})"
    message = detail.message.removeprefix("Value error, ")
    return Problem(where, f"{message[0].upper()}{message[1:]}{value}.", "See config.example.toml for what it takes.")


def _variable_problem(error: UnreadableSourceError) -> Problem:
    """A section as a whole comes from one variable, as JSON."""
    match = re.search(r'field "(\w+)"', str(error))
    name = PREFIX + (match[1].upper() if match else "...")
    return Problem(
        f"environment variable {name}", "It is no JSON.", f"Set the single keys instead: {name}__KEY, or unset it."
    )


def _nearest(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"Did you mean `{near[0]}`?" if near else "Take it out; config.example.toml names all settings."


def _syntax_problem(config: Path, error: tomllib.TOMLDecodeError) -> Problem:
    message = str(error)
    if match := re.search(r"^(.*) \(at line (\d+), column (\d+)\)$", message):
        return Problem(f"{config}, line {match[2]}, column {match[3]}", f"{match[1]}.", "Mend that line.")
    return Problem(str(config), f"{message}.", "Mend the file's last lines.")
