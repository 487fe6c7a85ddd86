"""Nothing that anybody wrote on purpose: mashed keys, one thing over and over, text read in the wrong encoding.

A whole row must look so; a hash, a name or a formula beside a question does not make it gibberish. Rows with code
or digits among the letters are left alone, and so is a row tagged `robust`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise

from tasks.mine.ask import Ask
from tasks.step import Drop
from tasks.text import CJK

SHORT, LONG = 6, 400
SHARE = 0.7
WORD = re.compile(r"[a-z]+")
WRITTEN = re.compile(r"[\d{}()\[\]<>=/\\_@#$%^*+|`;]")
REPEATED = re.compile(r"(.{1,8}?)\1{4,}", re.DOTALL)
# After the first letter these do not come in English words, or once in 7,000 pairs (counted over the words of
# Python's documentation). They do come in pinyin and in names, but not one after the other.
SELDOM = dict(
    a="jq", b="ghknqvwxz", c="gjqvwxz", d="kqxz", e="j", f="bhjkpqvxz", g="jkqwxyz", h="bcfghjkqvxz", i="hqwy",
    j="bcdfghjklmnpqrtvwxyz", k="bcdjkqvxz", l="jqxz", m="ghjqvxz", n="qx", o="qz", p="bgjkqvxz",
    q="abcdefghijkmnopqrstvwxyz", r="jqxz", s="jxz", t="jqx", u="jquvwyz", v="bcdfghjklmnpqrtuvwxyz",
    w="bcdfgjkpquvwxyz", x="bfghjklnoqrvwz", y="bghjkqvxyz", z="bcdfgjklmnpqrstvwxyz",
)  # fmt: skip
ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
RUNS = frozenset(row[i : i + 3] for line in ROWS for row in (line, line[::-1]) for i in range(len(row) - 2))


@dataclass(frozen=True, slots=True)
class Gibberish:
    """Drops a row where most of what is written is repeated, mashed or misread; the detail says which."""

    def __call__(self, ask: Ask) -> Drop | None:
        if ask.robust or not SHORT <= len(ask.folded) <= LONG:
            return None
        shares = {"repeated": repeated(ask.folded), "mashed": mashed(ask.folded), "misread": misread(ask.last)}
        return next((Drop("gibberish", what) for what, share in shares.items() if share >= SHARE), None)


def repeated(text: str) -> float:
    """The share of the text that is one piece of up to eight characters, five times or more in a row."""
    return max((len(m[0]) for m in REPEATED.finditer(text)), default=0) / len(text)


def mashed(text: str) -> float:
    """The share of the letters that stand in mashed words; 0 where there is code or a number."""
    words = WORD.findall(text)
    letters = sum(map(str.isalpha, text))
    if letters < SHORT or WRITTEN.search(text):
        return 0.0
    return sum(len(w) for w in words if is_mashed(w)) / letters


@lru_cache(maxsize=2**16)  # a few words are most of what is written
def is_mashed(word: str) -> bool:
    if len(word) < 5:
        return False
    seldom = sum(b in SELDOM[a] for a, b in pairwise(word) if a != b)  # `heyyyy` is drawn out, not mashed
    runs = sum(word[i : i + 3] in RUNS for i in range(len(word) - 2))
    return seldom / (len(word) - 1) >= 0.4 or runs / (len(word) - 2) >= 0.4


def misread(text: str) -> float:
    """1 where a text is Chinese in UTF-8 that somebody read as GBK or Latin (`浣犲ソ`, `ä½ å¥½`), else the share of
    its characters that no common text has: those of neither GB 2312's nor Big5's first level."""
    if len(text) - len(text.encode("ascii", "ignore")) >= SHORT and (from_gbk(text) or from_latin(text)):
        return 1.0
    han = CJK.findall(text)
    return sum(map(seldom_seen, han)) / len(text) if len(han) >= SHORT else 0.0


def from_gbk(text: str) -> bool:
    """Whether its bytes in GBK are UTF-8 with Chinese in it, every one of them: by chance that does not happen."""
    try:
        return bool(CJK.search(text.encode("gb18030").decode("utf-8")))
    except UnicodeError:
        return False


def from_latin(text: str) -> bool:
    """Whether its bytes in Latin are for the most part Chinese in UTF-8; a few of them are always lost on the way."""
    raw = text.encode("cp1252", "ignore")
    back = CJK.findall(raw.decode("utf-8", "ignore"))
    return 3 * len(back) >= SHARE * sum(byte > 127 for byte in raw) > 0


@cache
def seldom_seen(character: str) -> bool:
    simple, traditional = character.encode("gb2312", "ignore"), character.encode("big5", "ignore")
    return not (simple and simple[0] <= 0xD7) and not (traditional and traditional[0] <= 0xC6)
