"""`python -m tests.soak`: prints a line each minute, a table at the end, and every complaint; exit code 1 with one."""

import argparse
import os
import sys
import time

from tests.soak.dice import Dice
from tests.soak.farm import Farm
from tests.soak.readings import LONG_LIFE
from tests.soak.soaking import STORM, Report, Soaking


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600.0, help="how long; the books are closed after it")
    parser.add_argument("--seed", type=int, default=None, help="of an earlier soak, to make the same choices again")
    parser.add_argument(
        "--storm", type=float, default=STORM, help="the part of it in which the daemon is stopped and killed"
    )
    parser.add_argument("--keep", action="store_true", help="leave the folder although all is well")
    given = parser.parse_args()
    seed = int.from_bytes(os.urandom(3)) if given.seed is None else given.seed
    dice = Dice(seed)
    farm = Farm.made(dice)
    _say(f"Seed {seed}, {given.seconds:.0f} s, in {farm.top}")
    well = False
    try:
        report = Soaking(farm, seed, dice, _say).run(given.seconds, given.storm)
        _tell(report)
        well = not report.told
    finally:
        farm.close(keep=given.keep or not well)
        if not well:
            _say(f"The folder is kept: {farm.top} (the daemon's words: daemon.txt)")
    return 0 if well else 1


def _tell(report: Report) -> None:
    rows: list[tuple[str, object]] = [
        ("seconds", f"{report.seconds:.0f}"),
        ("seed", report.seed),
        ("lives of the daemon", report.lives),
        ("dropped", sum(report.balance.drops.values())),
        *((f"  {how}", number) for how, number in report.drops.most_common()),
        ("became", ""),
        *((f"  {what}", number) for what, number in report.balance.drops.most_common()),
        ("jobs", sum(report.balance.jobs.values())),
        *((f"  {state}", number) for state, number in report.balance.jobs.most_common()),
        ("failed by", ""),
        *((f"  {category}", number) for category, number in report.balance.reasons.most_common()),
        ("failed ones retried when all was mended", report.retried),
        ("left behind by a crash before archiving", report.balance.left_behind),
        ("asked", ""),
        *((f"  {what}", number) for what, number in report.orders.most_common()),
        ("done to the machine", ""),
        *((f"  {what}", number) for what, number in report.damage.most_common()),
        ("log", f"{report.log_bytes / 1e6:.1f} MB"),
    ]
    if (growth := report.growth) is not None:
        judged = "" if growth.long else f" (not judged: shorter than {LONG_LIFE:.0f} s)"
        rows += [
            ("longest life", f"{growth.seconds:.0f} s"),
            ("  memory, warm -> end", _span(growth.memory, " MB") + f", {growth.percent:+.1f} %{judged}"),
            ("  memory, slope", f"{growth.slope:+.1f} MB/h"),
            ("  descriptors", _span(growth.descriptors, "")),
            ("  threads", _span(growth.threads, "")),
        ]
    rows += [("not done here", one) for one in report.skipped]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        _say(f"{name:{width}}  {value}")
    for complaint in report.told:
        _say(f"WRONG: {complaint}")
    _say("The books balance." if not report.told else f"{len(report.told)} complaints.")


def _span(both: tuple[float, float], unit: str) -> str:
    return f"{both[0]:.1f} -> {both[1]:.1f}{unit}"


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
