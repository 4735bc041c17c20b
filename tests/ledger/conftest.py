from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from faceswapd.ledger.connection import Ledger


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    opened = await Ledger.open(tmp_path / "ledger.sqlite3")
    yield opened
    await opened.close()
