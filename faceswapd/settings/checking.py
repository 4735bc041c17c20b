"""What each value allows, and all together forbid."""

import ipaddress
from collections.abc import Iterator
from pathlib import Path

from faceswapd.core.engine_options import check
from faceswapd.core.presets import PRESETS
from faceswapd.settings.checking_webhooks import webhooks
from faceswapd.settings.problem import Problem, Source
from faceswapd.settings.schema import HttpSettings, Settings


def contradictions(source: Source, settings: Settings) -> Iterator[Problem]:
    """Problems of settings that are each of the right type."""
    if not settings.inbox:
        yield Problem(str(source.path), "There is no [[inbox]].", "Add one with its `path`.")
    yield from _names(source, settings)
    yield from _presets(source, settings)
    yield from _options(source, settings)
    yield from _folders(source, settings)
    yield from _template(source, settings)
    yield from _http(source, settings.http)
    yield from webhooks(source, settings)


def _names(source: Source, settings: Settings) -> Iterator[Problem]:
    names: set[str] = set()
    for number, inbox in enumerate(settings.inbox):
        if inbox.name in names:
            where = source.where(("inbox", number, "path"))
            yield Problem(where, f"Two inboxes are called {inbox.name!r}.", "Give one of them another `name`.")
        names.add(inbox.name)


def _presets(source: Source, settings: Settings) -> Iterator[Problem]:
    known = settings.preset_names()
    for number, inbox in enumerate(settings.inbox):
        if inbox.preset not in known:
            where = source.where(("inbox", number, "preset"))
            yield Problem(where, f"There is no preset {inbox.preset!r}.", f"Use one of: {', '.join(known)}.")
    for number, preset in enumerate(settings.preset):
        if known.index(preset.name) != len(PRESETS) + number or not preset.name.strip() or "@" in preset.name:
            where = source.where(("preset", number, "name"))
            told = f"The preset's name {preset.name!r} cannot be used: it is empty, holds an @ or is taken already."
            yield Problem(where, told, "Give it another `name`.")
        if preset.base not in PRESETS:
            where = source.where(("preset", number, "base"))
            yield Problem(
                where, f"There is no preset {preset.base!r} to begin with.", f"Use one of: {', '.join(PRESETS)}."
            )


def _options(source: Source, settings: Settings) -> Iterator[Problem]:
    """Names and the shape of values; what an installation takes is known only where there is one."""
    named = [(("preset", number), preset.options) for number, preset in enumerate(settings.preset)]
    named += [(("inbox", number), inbox.options) for number, inbox in enumerate(settings.inbox)]
    for place, options in named:
        for problem in check(options.items(), {}):
            yield Problem(source.where((*place, "options")), problem, "docs/facefusion.md tells what a preset can say.")


def _folders(source: Source, settings: Settings) -> Iterator[Problem]:
    """No folder of ours lies in an inbox, and no inbox in another: what is made there would be taken."""
    ours = {key: getattr(settings, key) for key in ("faces", "outbox", "failed", "done", "state", "scratch_folder")}
    for number, inbox in enumerate(settings.inbox):
        where = source.where(("inbox", number, "path"))
        for key, folder in ours.items():
            if folder.is_relative_to(inbox.path):
                told = f"The folder `{key.removesuffix('_folder')}` ({folder}) lies in this inbox."
                yield Problem(where, told, "Choose one outside of it.")
        if any(other is not inbox and inbox.path.is_relative_to(other.path) for other in settings.inbox):
            yield Problem(where, "It lies in another inbox.", "Choose a folder outside of it.")


def _http(source: Source, http: HttpSettings) -> Iterator[Problem]:
    """Nothing goes over a network that others can read, and nobody listens where no address is."""
    try:
        address = ipaddress.ip_address(http.address)
    except ValueError:
        told = f"{http.address!r} is no IP address."
        yield Problem(source.where(("http", "address")), told, "This machine alone is 127.0.0.1, everybody is 0.0.0.0.")
        return
    if (http.certificate is None) != (http.key is None):
        there, lacking = ("key", "certificate") if http.certificate is None else ("certificate", "key")
        yield Problem(source.where(("http", there)), f"There is a `{there}`, but no `{lacking}`.", f"Add `{lacking}`.")
    if http.enabled and not address.is_loopback and http.certificate is None and not http.behind_proxy:
        told = f"Other machines can reach {http.address}, and what they send could be read on its way."
        advice = "Add `certificate` and `key`, or `behind_proxy = true` where a proxy with TLS stands before it."
        yield Problem(source.where(("http", "address")), told, advice)


def _template(source: Source, settings: Settings) -> Iterator[Problem]:
    where = source.where(("output",))
    try:
        rendered = settings.output.format(folder="f", name="n", suffix=".s", face="f", preset="p", job=1)
    except (KeyError, IndexError, ValueError, AttributeError) as error:
        told = f"The template cannot be used: {error}."
        yield Problem(where, told, "Use {folder}, {name}, {suffix}, {face}, {preset} and {job}.")
        return
    if not rendered.endswith(".s") or ".." in Path(rendered).parts or rendered.startswith("/") or "\0" in rendered:
        told = "The template must stay below the outbox and end in {suffix}."
        yield Problem(where, told, 'The usual one is "{folder}/{name}{suffix}".')
