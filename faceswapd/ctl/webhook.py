"""`faceswapctl webhook`: which programs are told what happens, how they get on, and whether they hear."""

from faceswapd.control.wire.webhook_messages import Webhook, Webhooks, WebhookTried
from faceswapd.ctl.client import REFUSED, UNREACHABLE, Client, Problem
from faceswapd.ctl.output import complain, complain_of, print_json
from faceswapd.ctl.plain import clean, columns, cut, pad
from faceswapd.ctl.terminal import Line, Look, Terminal

TEST_SECONDS = 30.0  # the daemon gives up after half of it


def carry_out(client: Client, action: str, name: str | None, terminal: Terminal, *, as_json: bool) -> int:
    """One of list and test. Returns the exit code: of list 0, of test 1 where one does not take it."""
    if action == "test":
        return _test(client, name, terminal, as_json=as_json)
    answer = client.get(Webhooks, "/api/webhooks")
    if isinstance(answer, Problem):
        return complain_of(answer)
    if as_json:
        print_json(answer)
    else:
        terminal.show(webhooks_screen(answer, terminal))
    return 0


def webhooks_screen(answer: Webhooks, terminal: Terminal) -> list[Line]:
    """One line for each, and below it what is wrong with it."""
    if not answer.webhooks:
        return [Line("There are no webhooks. A [[webhook]] in the configuration makes one (docs/webhooks.md).")]
    rows = [("NAME", "WAITING", "DELIVERED", "GIVEN UP", "TO"), *map(_row, answer.webhooks)]
    widths = [max(columns(clean(row[place])) for row in rows) for place in range(4)]
    lines = []
    for number, row in enumerate(rows):
        cells = [pad(clean(row[0]), widths[0]), *(clean(row[at]).rjust(widths[at]) for at in (1, 2, 3)), clean(row[4])]
        text = "  ".join(cells)
        lines.append(Line(text if terminal.piped else cut(text, terminal.width), Look.PLAIN if number else Look.TITLE))
        if number and (wrong := _wrong_with(answer.webhooks[number - 1])) is not None:
            lines.append(Line(f"  {clean(wrong)}", Look.BAD))
    return lines


def _row(webhook: Webhook) -> tuple[str, str, str, str, str]:
    return (
        webhook.name,
        f"{webhook.waiting}",
        f"{webhook.delivered}",
        f"{webhook.given_up}",
        f"{webhook.url} ({webhook.format})",
    )


def _wrong_with(webhook: Webhook) -> str | None:
    """Why it takes nothing now, if so."""
    if webhook.off is not None:
        return webhook.off
    failed_last = (webhook.last_error_at or 0.0) > (webhook.last_success_at or 0.0)
    return webhook.last_error if failed_last else None


def _test(client: Client, name: str | None, terminal: Terminal, *, as_json: bool) -> int:
    names = [name]
    if name is None:
        known = client.get(Webhooks, "/api/webhooks")
        if isinstance(known, Problem):
            return complain_of(known)
        if not known.webhooks:
            complain("There are no webhooks. A [[webhook]] in the configuration makes one (docs/webhooks.md).")
            return REFUSED
        names = [webhook.name for webhook in known.webhooks]
    worst = 0
    for one in names:
        answer = client.post(WebhookTried, "/api/webhooks/test", {"name": one}, TEST_SECONDS)
        if isinstance(answer, Problem):
            code = complain_of(answer)
            if code == UNREACHABLE:
                return code
        else:
            code = 0 if answer.accepted else REFUSED
            if as_json:
                print_json(answer)
            else:
                look = Look.GOOD if answer.accepted else Look.BAD
                terminal.show([Line(clean(f"{answer.name}: {answer.text}"), look)])
        worst = max(worst, code)
    return worst
