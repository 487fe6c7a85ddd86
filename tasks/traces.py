"""What a text cannot do without if personal data of a kind is in it.

To search a long text for a pattern takes a hundred times as long as to look for the sign, the word or the digits that
every match of it has. Most texts have none, and are spared the search; what is found is the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable

NUMBER = re.compile(r"\d")
SECRETS = (
    *("sk-", "AKIA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "xox", "AIza"),
    *("github_pat_", "glpat-", "hf_", "LTAI", "AKID", "eyJ"),
)
SET = ("key", "secret", "token", "passw", "密钥", "口令")
AT = ("@", "[at", "(at")


def one_of(signs: tuple[str, ...]) -> Callable[[str, int], bool]:
    return lambda text, digits: any(sign in text for sign in signs)


def at_least(least: int) -> Callable[[str, int], bool]:
    return lambda text, digits: digits >= least


def address(text: str, digits: int) -> bool:
    """Three dots among digits, or the colons of an address of version 6."""
    return (digits > 3 and text.count(".") > 2) or "::" in text or text.count(":") > 6


def folded(text: str, digits: int) -> bool:
    """In whatever case; `casefold` also folds the letters that a pattern takes for `k` and `s`."""
    low = text.casefold()
    return any(word in low for word in SET)


TRACES: dict[str, Callable[[str, int], bool]] = {
    "PRIVATE_KEY": one_of(("-----BEGIN ",)),
    "URL_LOGIN": lambda text, digits: "://" in text and "@" in text,
    "SECRET": one_of(SECRETS),
    "SECRET_SET": folded,
    "EMAIL": one_of(AT),
    "ID_CARD": at_least(15),
    "IBAN": at_least(2),
    "BANK_CARD": at_least(12),
    "SSN": at_least(9),
    "IP": address,
    "CAR_PLATE": lambda text, digits: not text.isascii(),
}


def kinds(text: str) -> list[str]:
    """The kinds of which there may be some, in the order of `TRACES`."""
    digits = len(NUMBER.findall(text))
    return [kind for kind, traced in TRACES.items() if traced(text, digits)]
