"""The text of a line of bytes: UTF-8, or else GB18030, the superset of GBK that older Chinese systems write."""

from __future__ import annotations

import re

ASCII_TRAIL = re.compile(rb"[\x81-\xfe][\x30-\x7e]")
PAIR = re.compile(rb"[\x81-\xfe][\x30-\xfe]")


def decoded(raw: bytes) -> str | None:
    """The text, or None where it is neither. A mark at its beginning is no text."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return gb18030(raw)


def gb18030(raw: bytes) -> str | None:
    """The text where GB18030 is what it looks like, and not UTF-8 with a broken character, or Latin-1: their bytes
    decode as GB18030 too, to rare characters that nobody wrote."""
    try:
        text = raw.decode("gb18030")
    except UnicodeDecodeError:
        return None
    as_utf8 = [c for c in raw.decode("utf-8", "replace") if c > "\x7f"]
    mostly_utf8 = 2 * as_utf8.count("\ufffd") <= len(as_utf8)
    like_latin = 2 * len(ASCII_TRAIL.findall(raw)) > len(PAIR.findall(raw))
    return None if mostly_utf8 or like_latin else text
