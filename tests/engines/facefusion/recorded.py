"""The transcripts of this folder, with what is expected of them."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from faceswapd.core.target import Kind
from faceswapd.engines.facefusion.transcript import Transcript
from faceswapd.engines.facefusion.verdict import Exit

FOLDER = Path(__file__).parent / "transcripts"


@dataclass(frozen=True, slots=True)
class Recorded:
    """One transcript: its name, how the run ended, and the category that it shows ("done" for none)."""

    name: str
    ended: Exit
    expect: str

    @property
    def data(self) -> bytes:
        return (FOLDER / f"{self.name}.txt").read_bytes()

    def read(self) -> Transcript:
        transcript = Transcript()
        transcript.feed(self.data)
        return transcript


def _recorded() -> tuple[Recorded, ...]:
    table = tomllib.loads((FOLDER / "expected.toml").read_text(encoding="utf-8"))
    return tuple(
        Recorded(
            name,
            Exit(row.get("code"), row.get("inner"), Kind(row["kind"]), debug=row.get("debug", True)),
            row["expect"],
        )
        for name, row in table.items()
    )


RECORDED = _recorded()
