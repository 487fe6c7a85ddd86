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


@cache
def converter() -> OpenCC:
    from opencc import OpenCC

    return OpenCC("t2s")
