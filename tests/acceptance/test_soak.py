"""The soak can be run: a few seconds of it, so that it is whole when somebody wants an hour."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_a_soak_of_a_few_seconds_balances_its_books() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.soak", "--seconds", "4", "--seed", "2"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The books balance." in done.stdout
    dropped = next(line for line in done.stdout.splitlines() if " dropped " in line)
    assert int(dropped.split()[-1]) > 5
