"""Pseudonyms, keys of rows and the shift of days. No Django.

Everything is an HMAC-SHA256 under a key made for one release of one centre, so the same thing has the same pseudonym in
all tables of a release and another one in the next, and nobody without RELEASE_KEY can work out either.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

SHIFT_DAYS = 365  # days lie 1 to this many days earlier than they were
SUBJECT_DIGITS = 20  # 80 bits: no two of a million patients meet
_BLOCK = 64


@dataclass(frozen=True)
class ReleaseKey:
    """The key of one release. `repr` shows nothing of it, since it may end up in a traceback."""

    key: bytes

    def __repr__(self) -> str:
        return "ReleaseKey()"

    def _digest(self, purpose: str, message: str) -> bytes:
        return hmac.new(self.key, f"{purpose}:{message}".encode(), hashlib.sha256).digest()

    def subject(self, public_id: object) -> str:
        """The pseudonym of a patient."""
        return self._digest("subject", str(public_id)).hex()[:SUBJECT_DIGITS]

    def shift(self, public_id: object) -> int:
        """How many days earlier all days of this patient are given: 1 to 365."""
        return 1 + int.from_bytes(self._digest("shift", str(public_id)), "big") % SHIFT_DAYS

    def row(self, table: str, row_id: int) -> str:
        """The key of a row, as PostgreSQL works it out by `pads`."""
        return self._digest("row", f"{table}:{row_id}").hex()[:SUBJECT_DIGITS]

    def pads(self) -> tuple[bytes, bytes]:
        """Inner and outer block: HMAC = sha256(outer || sha256(inner || message)), without an extension for it."""
        block = self.key.ljust(_BLOCK, b"\0")
        return bytes(b ^ 0x36 for b in block), bytes(b ^ 0x5C for b in block)


def release_key(secret: str, centre: object, name: str) -> ReleaseKey:
    """The key of the release `name` of a centre (its public id). `secret` is settings.RELEASE_KEY."""
    message = f"release:{centre}:{name}"
    return ReleaseKey(hmac.new(secret.encode(), message.encode(), hashlib.sha256).digest())
