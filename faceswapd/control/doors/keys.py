"""What opens the TCP port: a token in a file, links that open it once, and the cookie that such a link becomes."""

import hashlib
import hmac
import os
import secrets
import stat
import time
from pathlib import Path
from typing import Final

from itsdangerous import BadSignature, TimestampSigner

TOKEN_BYTES: Final = 32
SHORTEST: Final = 32  # characters of a token that somebody has written himself
LINK_SECONDS: Final = 300.0
MOST_LINKS: Final = 100  # that wait to be used
SESSION_SECONDS: Final = 30 * 86400


class UnsafeTokenError(Exception):
    """The token's file cannot be used; the text says why and what to do."""


def token_of(path: Path) -> str:
    """The token, made at the first time. Raises OSError and UnsafeTokenError."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        return _written(path)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(token + "\n")
        file.flush()
        os.fsync(descriptor)
    return token


def _written(path: Path) -> str:
    facts = path.lstat()
    if not stat.S_ISREG(facts.st_mode) or facts.st_mode & 0o077 or facts.st_uid not in (0, os.getuid()):
        raise UnsafeTokenError(f"Others may read the token {path}, or it is no file. Remove it: a new one is made.")
    token = path.read_text(encoding="ascii", errors="replace").strip()
    if len(token) < SHORTEST or not token.isascii():
        raise UnsafeTokenError(f"The token {path} is too short to be safe. Remove it: a new one is made.")
    return token


class Keys:
    """Knows what is right. Cookies outlive the daemon; they end with the token."""

    def __init__(self, token: str) -> None:
        self._token = token.encode("ascii")
        self._signer = TimestampSigner(token, salt="faceswapd session", digest_method=hashlib.sha256)
        self._links: dict[bytes, float] = {}  # the hash of each, and when it ends on the monotonic clock

    def is_token(self, given: str) -> bool:
        """Whether it is the token, told in the same time for every wrong one."""
        return hmac.compare_digest(given.encode("utf-8", "replace"), self._token)

    def is_session(self, given: str) -> bool:
        """Whether it is the cookie of somebody who came by a link."""
        try:
            self._signer.unsign(given.encode("utf-8", "replace"), max_age=SESSION_SECONDS)
        except BadSignature:
            return False
        return True

    def link(self) -> str:
        """A key that opens once, within five minutes."""
        now = time.monotonic()
        self._links = {key: ends for key, ends in self._links.items() if ends > now}
        while len(self._links) >= MOST_LINKS:
            del self._links[next(iter(self._links))]
        key = secrets.token_urlsafe(TOKEN_BYTES)
        self._links[_hash(key)] = now + LINK_SECONDS
        return key

    def redeem(self, key: str) -> str | None:
        """The cookie for a link's key; None for one that is wrong, too old or was used."""
        ends = self._links.pop(_hash(key), None)
        if ends is None or ends <= time.monotonic():
            return None
        return self._signer.sign(secrets.token_urlsafe(16)).decode("ascii")


def _hash(key: str) -> bytes:
    """Looked up by its hash, a key cannot be guessed letter by letter."""
    return hashlib.sha256(key.encode("utf-8", "replace")).digest()
