"""`faceswapctl models`: what FaceFusion needs, whether it is there, and fetching it."""

import sys
import time
from typing import Final

from faceswapd.control.wire.messages import Done
from faceswapd.control.wire.model_messages import Model, Models, Pruned, Pulling
from faceswapd.ctl.client import REFUSED, Client, Problem
from faceswapd.ctl.output import complain, complain_of, print_json
from faceswapd.ctl.plain import bar, clean, columns, cut, pad, percent, wrap
from faceswapd.ctl.terminal import Line, Look, Terminal

READING_SECONDS: Final = 600.0  # FaceFusion is asked once for each preset, and all models are read, at 1 GB a second
BETWEEN_SECONDS: Final = 0.5  # between two looks how far a download is
BAR: Final = 24  # columns
MOST_LINES: Final = 8  # of one sentence
STATES: Final = {
    "present": ("there", Look.PLAIN),
    "missing": ("missing", Look.HELD),
    "corrupt": ("damaged", Look.BAD),
    "hash_missing": ("no checksum", Look.HELD),
}


def carry_out(client: Client, action: str, terminal: Terminal, *, yes: bool, as_json: bool) -> int:
    """One of list, pull, verify and prune. Returns the exit code: list is always well, the others only when nothing
    lacks afterwards."""
    if action == "pull":
        return _pull(client, terminal, as_json=as_json)
    if action == "prune":
        return _prune(client, terminal, yes=yes, as_json=as_json)
    if action == "verify":
        answer = client.post(Models, "/api/models/verify", {}, READING_SECONDS)
    else:
        answer = client.get(Models, "/api/models", READING_SECONDS)
    if isinstance(answer, Problem):
        return complain_of(answer)
    if as_json:
        print_json(answer)
    else:
        terminal.show(models_screen(answer, terminal))
    return 0 if action == "list" or answer.whole else REFUSED


def models_screen(models: Models, terminal: Terminal) -> list[Line]:
    """One line for each model, then what lacks and what the licences forbid."""
    rows = [("MODEL", "STATE", "SIZE", "PRESETS", "LICENCE"), *(_row(model) for model in models.models)]
    widths = [max(columns(clean(row[place])) for row in rows) for place in range(4)]
    looks = [Look.TITLE, *(STATES.get(model.state, ("", Look.BAD))[1] for model in models.models)]
    lines = []
    for row, look in zip(rows, looks, strict=True):
        cells = [pad(clean(cell), width) for cell, width in zip(row, widths, strict=False)]
        cells[2] = clean(row[2]).rjust(widths[2])
        text = "  ".join([*cells, row[4]])
        lines.append(Line(text if terminal.piped else cut(text, terminal.width), look))
    lines.append(Line(""))
    missing = f" About {size(models.missing)} are to be fetched." if models.missing else ""
    lines += _told(models.sentence + missing, Look.GOOD if models.whole else Look.HELD, terminal)
    if models.pulling is not None:
        lines.append(Line(_one_line(models.pulling, terminal), Look.ASIDE))
    elif models.problem is not None:
        lines += _told(models.problem, Look.BAD, terminal)
        lines += _told(models.advice or "", Look.DO, terminal)
    elif not models.whole:
        lines.append(Line("`faceswapctl models pull` fetches what lacks.", Look.DO))
    if any(model.non_commercial for model in models.models):
        lines.append(Line("* not for commercial use", Look.ASIDE))
    for notice in models.notices:
        lines += _told(notice, Look.ASIDE, terminal)
    lines.append(Line(f"{models.facefusion}, {models.folder}", Look.ASIDE))
    return lines


def _told(text: str, look: Look, terminal: Terminal) -> list[Line]:
    """Sentences, over several lines where a person reads them."""
    if not text or terminal.piped:
        return [Line(text, look)] if text else []
    return [Line(line, look) for line in wrap(text.split(), terminal.width, MOST_LINES)]


def size(number: int) -> str:
    """Bytes as people say them."""
    if number >= 1_000_000_000:
        return f"{number / 1e9:.1f} GB"
    if number >= 1_000_000:
        return f"{number / 1e6:.0f} MB"
    return f"{number / 1e3:.0f} kB" if number >= 1000 else f"{number} B"


def _row(model: Model) -> tuple[str, str, str, str, str]:
    word = STATES.get(model.state, (model.state, Look.PLAIN))[0]
    mark = " *" if model.non_commercial else ""
    about = "" if model.size is None else size(model.size)
    return model.name, word, about, ", ".join(model.presets), model.licence + mark


def _pull(client: Client, terminal: Terminal, *, as_json: bool) -> int:
    """Give the order and follow it to its end. Ctrl-C ends the following alone."""
    begun = client.post(Done, "/api/models/pull", {}, READING_SECONDS)
    if isinstance(begun, Problem):
        return complain_of(begun)
    if not as_json:
        terminal.show(_told(begun.text, Look.PLAIN, terminal))
    try:
        answer = _followed(client, terminal, silent=as_json)
    except KeyboardInterrupt:
        complain("The daemon goes on fetching; `faceswapctl models` tells how far it is.")
        return REFUSED
    if isinstance(answer, Problem):
        return complain_of(answer)
    if as_json:
        print_json(answer)
    elif answer.problem is not None and not answer.whole:
        complain(" ".join(filter(None, (answer.problem, answer.advice))))
    else:
        terminal.show([Line(answer.sentence, Look.GOOD if answer.whole else Look.HELD)])
    return 0 if answer.whole else REFUSED


def _followed(client: Client, terminal: Terminal, *, silent: bool) -> Models | Problem:
    """The answer when nothing is being fetched any more."""
    shown = ""
    drawn = terminal.redraws and not silent
    try:
        while True:
            answer = client.get(Models, "/api/models", READING_SECONDS)
            if isinstance(answer, Problem) or answer.pulling is None:
                return answer
            if drawn:
                sys.stdout.write(f"\r{_one_line(answer.pulling, terminal)}\x1b[K")
                sys.stdout.flush()
            elif not silent and answer.pulling.name != shown:
                shown = answer.pulling.name
                terminal.show([Line(f"Fetching {shown} ...")])
                sys.stdout.flush()
            time.sleep(BETWEEN_SECONDS)
    finally:
        if drawn:
            sys.stdout.write("\r\x1b[K")
            sys.stdout.flush()


def _one_line(pulling: Pulling, terminal: Terminal) -> str:
    if not pulling.name:
        return "The download begins, or waits for another program that fetches models."
    if not pulling.total:
        return cut(f"{size(pulling.done)}  {pulling.name}", terminal.width)
    done = pulling.done / pulling.total
    text = f"{bar(done, BAR)} {percent(done)}  {size(pulling.done)} of {size(pulling.total)}  {pulling.name}"
    return cut(text, terminal.width)


def _prune(client: Client, terminal: Terminal, *, yes: bool, as_json: bool) -> int:
    answer = client.post(Pruned, "/api/models/prune", {"remove": yes}, READING_SECONDS)
    if isinstance(answer, Problem):
        return complain_of(answer)
    if as_json:
        print_json(answer)
        return 0
    lines = [Line(f"  {size(file.size).rjust(8)}  {file.path}") for file in answer.files]
    terminal.show([*lines, Line(answer.text)])
    return 0
