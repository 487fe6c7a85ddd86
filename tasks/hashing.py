"""sha256 of texts, by a thread that goes on."""

from __future__ import annotations

import hashlib

PIECE = 2047  # bytes; for more, hashlib lets other threads have the interpreter
WHOLE = 2**16


def sha256(text: bytes) -> str:
    """The digest in hex. A text of a few thousand bytes is hashed sooner than the interpreter is back where other
    threads wait for it, as they do in a run that finds its answers in the store."""
    if len(text) <= PIECE or len(text) > WHOLE:
        return hashlib.sha256(text).hexdigest()
    made = hashlib.sha256()
    for start in range(0, len(text), PIECE):
        made.update(text[start : start + PIECE])
    return made.hexdigest()
