"""Answers of an installation, kept on the disk for as long as what they depend on looks the same."""

import contextlib
import hashlib
import json
import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def recall(path: Path, signature: str) -> Any:
    """The answer that was kept under this signature; None where there is none, or it cannot be read."""
    try:
        kept = json.loads(path.read_bytes())
        return kept["answer"] if kept["signature"] == signature else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep(path: Path, signature: str, answer: Any) -> None:
    """Keep an answer (JSON), whole or not at all. What cannot be kept is asked anew the next time."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.new")
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(json.dumps({"signature": signature, "answer": answer}), encoding="utf-8")
        fresh.replace(path)


def signature_of(*said: object) -> str:
    """A short name for what an answer depends on."""
    return hashlib.sha256(json.dumps(said, default=str).encode()).hexdigest()[:32]


def looks(paths: Iterable[Path]) -> list[tuple[str, int, int]]:
    """How files and folders look: path, bytes, time of the last change. What is not there is left out."""
    seen = []
    for path in paths:
        with contextlib.suppress(OSError):
            status = path.stat()
            seen.append((str(path), status.st_size, status.st_mtime_ns))
    return seen
