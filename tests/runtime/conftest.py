from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest

from faceswapd.ledger import standing
from faceswapd.ledger.connection import Ledger
from faceswapd.media.examiner import Examiner
from tests.runtime.workplace import CHILD, Workplace, settings_for


class NewPlace(Protocol):
    async def __call__(self, **settings: Any) -> Workplace: ...


@pytest.fixture
async def new_place(tmp_path: Path) -> AsyncIterator[NewPlace]:
    """Makes a workplace with these settings."""
    async with AsyncExitStack() as stack:

        async def make(**given: Any) -> Workplace:
            settings = settings_for(tmp_path, **given)
            photo = settings.faces / "alice.jpg"
            photo.write_bytes(b"a photo")
            ledger = await Ledger.open(settings.ledger_path)
            stack.push_async_callback(ledger.close)
            examiner = Examiner(argv=CHILD)
            stack.push_async_callback(examiner.close)
            await standing.begin(ledger, "a-boot", 1)
            return Workplace(settings, ledger, examiner, (photo,))

        yield make


@pytest.fixture
async def place(new_place: NewPlace) -> Workplace:
    """A workplace with the usual settings."""
    return await new_place()
