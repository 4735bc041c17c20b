"""The secret of a webhook, from the configuration or from a file of its own."""

import os
import stat
from pathlib import Path
from typing import Final

from faceswapd.core.webhook import secret_of
from faceswapd.settings.schema import WebhookSettings

LARGEST: Final = 4096  # bytes of such a file


class NoSecretError(Exception):
    """There is a file, and no secret in it that could be used; the text says why and what to do."""


def key_of(webhook: WebhookSettings) -> bytes | None:
    """What its messages are signed with; None: they are not signed. Raises NoSecretError."""
    if webhook.secret_file is not None:
        return _in_file(webhook.secret_file)
    return secret_of(webhook.secret) if webhook.secret else None


def _in_file(path: Path) -> bytes:
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            facts = os.fstat(file)
            text = os.read(file, LARGEST) if stat.S_ISREG(facts.st_mode) else b""
        finally:
            os.close(file)
    except OSError as error:
        raise NoSecretError(f"The file {path} with its secret cannot be read: {error.strerror}.") from error
    # systemd gives a credential that is root's to the service alone by a list of its own, which shows as the group's.
    forbidden = 0o077 if facts.st_uid == os.getuid() and os.getuid() != 0 else 0o007
    if facts.st_mode & forbidden:
        raise NoSecretError(f"Others may read the file {path} with its secret: chmod 600 {path}")
    key = secret_of(text.decode("ascii", "replace").strip())
    if key is None:
        raise NoSecretError(f"What the file {path} holds is no secret: whsec_ and then 24 to 64 bytes in base64.")
    return key
