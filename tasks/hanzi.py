"""Traditional Chinese characters as simplified ones (OpenCC, the phrase-wise `t2s` table)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from tasks.text import CJK

if TYPE_CHECKING:
    from opencc import OpenCC


def simplified(text: str) -> str:
    """The text in simplified characters; a text without Chinese comes back as it is."""
    return converter().convert(text) if CJK.search(text) else text


def traditional(text: str) -> bool:
    """Whether a text is written in traditional characters, if only in part."""
    return simplified(text) != text


@cache
def converter() -> OpenCC:
    from opencc import OpenCC

    return OpenCC("t2s")
