"""Checksums of files: CRC-32, eight hexadecimal digits."""

import zlib
from pathlib import Path

from .models import gigabytes
from .stand_in import COSTS, pay


def create_hash(content: bytes) -> str:
    """The checksum of some bytes."""
    return f"{zlib.crc32(content):08x}"


def validate_hash(validate_path: str) -> bool:
    """Whether a file is what the `.hash` beside it says. Takes the time that the real file's size would."""
    path = Path(validate_path)
    told = path.with_suffix(".hash")
    if not path.is_file() or not told.is_file():
        return False
    pay(COSTS.hash_per_gb * gigabytes(path.stem))
    return create_hash(path.read_bytes()) == told.read_text("utf-8").strip()
