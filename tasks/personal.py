"""Personal data and secrets in a text: where they stand and of which kind.

Candidates come from patterns, the verdict from a library: phonenumbers for telephone numbers, python-stdnum
for everything with a check digit, ipaddress for addresses. Names, addresses in words and the like have no
shape that a rule could know; no rule here finds them.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

PATTERNS = {
    "PRIVATE_KEY": r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    "URL_LOGIN": r"(?<![A-Za-z0-9])[a-z][a-z0-9+.-]{0,30}://[^\s/:@]+:[^\s/@]+@[!#-&(-;=?-~]+",
    "SECRET": (
        r"(?<![A-Za-z0-9])(?:sk-(?=[A-Za-z_-]{0,100}\d)[A-Za-z0-9_-]{20,}|AKIA[0-9A-Z]{16}"
        r"|gh[pousr]_[A-Za-z0-9]{36,}|xox[abprs]-[A-Za-z0-9-]{10,}|AIza[0-9A-Za-z_-]{35}"
        r"|eyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,8000}\.[A-Za-z0-9_-]{10,})"
    ),
    "EMAIL": r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,4}\.[A-Za-z]{2,24}",
    "ID_CARD": r"(?<![0-9A-Za-z])[1-9]\d{16}[0-9Xx](?![0-9A-Za-z])",
    "IBAN": r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?(?![A-Za-z0-9])",
    "BANK_CARD": r"(?<![0-9A-Za-z.])[3-6]\d{3}(?:[ -]?\d{4}){2}[ -]?\d{1,7}(?![0-9A-Za-z])",
    "SSN": r"(?<![0-9-])\d{3}-\d{2}-\d{4}(?![0-9-])",
    "IP": r"(?<![0-9.vV])\d{1,3}(?:\.\d{1,3}){3}(?!\.?[0-9])",
}
COMPILED = {kind: re.compile(pattern, re.DOTALL) for kind, pattern in PATTERNS.items()}
IMAGES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg")
GROUPED = {"PHONE", "BANK_CARD", "IBAN"}
PHONE_DIGITS = re.compile(r"(?:\d[^\w\n]{0,2}){7}")
REGIONS = {"zh": ("CN", "US"), "en": ("US", "CN"), "other": ("US", "CN")}


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Characters `start` to `end` of a text are personal data of a kind."""

    start: int
    end: int
    kind: str


def find(text: str, language: str = "en") -> list[Span]:
    """Personal data in a text, left to right, never overlapping; the earlier kind of the list above wins."""
    spans: list[Span] = []
    for span in candidates(text, language):
        if all(span.end <= s.start or span.start >= s.end for s in spans):
            spans.append(span)
    return sorted(spans)


def candidates(text: str, language: str) -> Iterator[Span]:
    checks = check_digits()
    for kind, pattern in COMPILED.items():
        for match in pattern.finditer(text):
            if kind not in checks or checks[kind](match[0]):
                yield Span(match.start(), match.end(), kind)
    if PHONE_DIGITS.search(text):
        yield from phones(text, language)


def phones(text: str, language: str) -> Iterator[Span]:
    from phonenumbers import Leniency, PhoneNumberMatcher

    for region in REGIONS[language]:
        for match in PhoneNumberMatcher(text, region, leniency=Leniency.VALID):
            if phone_shaped(match.raw_string, text[: match.start]):
                yield Span(match.start, match.end, "PHONE")


def phone_shaped(raw: str, before: str) -> bool:
    """A valid number that people also write as one: bare digits only for mobile numbers of China and after a cue.

    Ten bare digits are as often an order, a sum or a time in seconds since 1970.
    """
    raw = unicodedata.normalize("NFKC", raw)
    digits = re.sub(r"\D", "", raw)
    if re.fullmatch(r"(?:86)?1[3-9]\d{9}", digits) or raw.lstrip().startswith("+"):
        return True
    if raw.strip().isdigit():
        return bool(
            re.search(
                r"(?:phone|tel|call|text|mobile|cell|fax|whatsapp|电话|手机|致电|热线)\W{0,12}$", before[-24:], re.I
            )
        )
    groups = re.findall(r"\d+", raw)
    return 2 <= len(groups) <= 5 and all(len(g) > 2 for g in groups[1:])


def check_digits() -> dict[str, Callable[[str], bool]]:
    """Kind -> the verdict on a candidate, a library's where there is one."""
    from stdnum import iban, luhn
    from stdnum.us import ssn

    return {
        "EMAIL": is_mailbox,
        "ID_CARD": is_resident_id,
        "IBAN": iban.is_valid,
        "BANK_CARD": lambda raw: luhn.is_valid(re.sub(r"\D", "", raw)) and 13 <= len(re.sub(r"\D", "", raw)) <= 19,
        "SSN": ssn.is_valid,
        "IP": is_public,
    }


def is_resident_id(raw: str) -> bool:
    """Check digit and date of birth; districts come and go, so the first six digits are left alone."""
    from stdnum.cn import ric
    from stdnum.exceptions import ValidationError

    try:
        ric.get_birth_date(raw.upper())
        return ric.calc_check_digit(raw.upper()) == raw[-1].upper()
    except ValidationError:
        return False


def is_mailbox(raw: str) -> bool:
    """`git@host` is where a repository lies, `icon@2x.png` an image for a fine screen."""
    return not raw.lower().startswith("git@") and not raw.lower().endswith(IMAGES)


def is_public(raw: str) -> bool:
    """Addresses of somebody's machine; those of a private network, of loopback and of documentation name nobody."""
    try:
        return ipaddress.ip_address(raw).is_global
    except ValueError:
        return False


class Placeholders:
    """Typed placeholders, the same for the same value: `[EMAIL_1]`, `[PHONE_2]`. One for each conversation."""

    def __init__(self) -> None:
        self.named: dict[tuple[str, str], str] = {}

    def replace(self, text: str, language: str = "en") -> str:
        """The text with each piece of personal data replaced."""
        parts, at = [], 0
        for span in find(text, language):
            parts += [text[at : span.start], self.name(span.kind, text[span.start : span.end])]
            at = span.end
        return "".join(parts) + text[at:]

    def name(self, kind: str, value: str) -> str:
        folded = (re.sub(r"[\s()-]", "", value) if kind in GROUPED else value).lower()
        if (kind, folded) not in self.named:
            count = sum(1 for k, _ in self.named if k == kind)
            self.named[kind, folded] = f"[{kind}_{count + 1}]"
        return self.named[kind, folded]
