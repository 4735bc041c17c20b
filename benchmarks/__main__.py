"""`python -m benchmarks [NAME...]`: measures all subjects, or those named, and prints one table."""

import argparse
import importlib
import sys
import time
from typing import Final

from benchmarks.figure import Figure, table

SUBJECTS: Final = (
    "ledger_speed",
    "status_time",
    "api_time",
    "stream_load",
    "upload_memory",
    "page_time",
    "intake_latency",
    "idle_cost",
    "preview_speed",
    "facefusion_speed",
    "demo_time",
)


def main() -> int:
    """Measure; 0 when every number is met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(SUBJECTS)} (default: all)")
    names = parser.parse_args().names
    if unknown := sorted(set(names) - set(SUBJECTS)):
        parser.error(f"there is no {', '.join(unknown)}; there are {', '.join(SUBJECTS)}")
    figures = [figure for name in names or SUBJECTS for figure in _measured(name)]
    print(table(figures))
    return 0 if all(figure.met for figure in figures) else 1


def _measured(name: str) -> list[Figure]:
    """The figures of one subject. One that cannot be measured is not met, and does not keep the others waiting."""
    print(f"{name} ...", end=" ", file=sys.stderr, flush=True)
    started = time.monotonic()
    try:
        found: list[Figure] = importlib.import_module(f"benchmarks.{name}").measure()
    except Exception as error:  # noqa: BLE001  whatever it is, it stands in the table
        found = [Figure(name, f"{type(error).__name__}: {error}"[:100], "to be measured", met=False)]
    print(f"{time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return found


if __name__ == "__main__":
    sys.exit(main())
