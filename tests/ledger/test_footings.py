import os

from faceswapd.core.footing import Footing
from faceswapd.ledger import footings
from faceswapd.ledger.connection import Ledger

DISK = Footing("/disk", "ext4", "/dev/sdb1", "/", "8:17", 2**64 - 1)
STRANGE = Footing(os.fsdecode(b"/disk/\xff"), "nfs4", os.fsdecode(b"nas:/\xfe"), "/", "0:40", 0)


async def test_they_are_kept_in_their_order_and_with_all_bytes(ledger: Ledger) -> None:
    inbox = os.fsdecode(b"/disk/in\xfd")
    await footings.stand_on(ledger, "/other", [STRANGE])
    await footings.stand_on(ledger, inbox, [DISK, STRANGE])
    assert await footings.known(ledger) == {"/other": (STRANGE,), inbox: (DISK, STRANGE)}
    await footings.stand_on(ledger, inbox, [STRANGE])
    assert (await footings.known(ledger))[inbox] == (STRANGE,)
