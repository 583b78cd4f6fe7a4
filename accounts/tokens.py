"""What an API token looks like, and the digest that stands for it. No Django.

A token is 256 random bits, so a plain SHA-256 is enough: there is nothing to guess that salt or a slow hash would
protect.
"""

from __future__ import annotations

import hashlib
import secrets

# Recognisable: scanners for leaked secrets and people who find one in a file can tell what it is.
PREFIX = "myo_"
LONGEST_DAYS = 366


def new_token() -> str:
    """A token never given before: the prefix and 43 characters."""
    return PREFIX + secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """SHA-256 of the token, in hexadecimal: what is stored and looked up."""
    return hashlib.sha256(token.encode()).hexdigest()
