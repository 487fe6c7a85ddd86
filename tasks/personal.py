"""Personal data and secrets in a text: where they stand and of which kind.

Candidates come from patterns, the verdict from a library: phonenumbers for telephone numbers, python-stdnum
for everything with a check digit, ipaddress for addresses. Names, addresses in words and the like have no
shape that a rule could know; no rule here finds them. `python -m benchmarks.personal_data` measures it.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from tasks.phones import phones
from tasks.traces import kinds

HOST = r"[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,4}\.[A-Za-z]{2,24}"
PATTERNS = {
    "PRIVATE_KEY": r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    "URL_LOGIN": r"(?<![A-Za-z0-9])[a-z][a-z0-9+.-]{0,30}://[^\s/:@]*:[^\s/@]+@[!#-&(-;=?-~]+",
    "SECRET": (
        r"(?<![A-Za-z0-9])(?:sk-(?=[A-Za-z_-]{0,100}\d)[A-Za-z0-9_-]{20,}|AKIA[0-9A-Z]{16}"
        r"|gh[pousr]_[A-Za-z0-9]{36,}|xox[abprs]-[A-Za-z0-9-]{10,}|AIza[0-9A-Za-z_-]{35}"
        r"|github_pat_[A-Za-z0-9_]{22,}|glpat-[A-Za-z0-9_-]{20,}|hf_[A-Za-z0-9]{30,}"
        r"|LTAI[A-Za-z0-9]{12,26}(?![A-Za-z0-9])|AKID[A-Za-z0-9]{32}(?![A-Za-z0-9])"
        r"|eyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,8000}\.[A-Za-z0-9_-]{10,})"
    ),
    # What is set as a key, token or password in code and settings, whoever gave it out.
    "SECRET_SET": (
        r"(?i:(?:api|access|secret|private|auth)[_-]?key|secret|token|passw(?:or)?d|密钥|口令)[\"']?"
        r"[ \t]{0,3}(?:[:=：]|是)[ \t]{0,3}[\"']?"
        r"(?P<value>[A-Za-z0-9][A-Za-z0-9_!@#$%^&*+/=.~-]{15,255})(?![\w(\[<{])"
    ),
    "EMAIL": rf"[A-Za-z0-9._%+-]{{1,64}}(?:@| ?[\[(]at[\])] ?){HOST}",
    "ID_CARD": r"(?<![0-9A-Za-z])[1-9]\d{5}(?:[ -]?\d{8}[ -]?\d{3}[0-9Xx]|\d{9})(?![0-9A-Za-z])",
    "IBAN": (
        r"(?<![A-Za-z0-9])(?:[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?"
        r"|[a-z]{2}\d{2} ?[a-z0-9]{4}(?: ?\d{4}){2,6}(?: ?\d{1,4})?)(?![A-Za-z0-9])"
    ),
    "BANK_CARD": (
        r"(?<![0-9A-Za-z.])(?:\d{12,19}|[2-6]\d{3}(?:[ -]\d{4}){2,3}(?:[ -]?\d{1,4})?|3\d{3}[ -]\d{6}[ -]\d{4,5})"
        r"(?![0-9A-Za-z])"
    ),
    "SSN": r"(?<![0-9-])\d{3}-\d{2}-\d{4}(?![0-9-])",
    "IP": (
        r"(?<![0-9.vV])\d{1,3}(?:\.\d{1,3}){3}(?!\.?[0-9])"
        r"|(?<![0-9A-Za-z:.])(?:[0-9A-Fa-f]{1,4}:){1,7}:?[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4}){0,6}(?![0-9A-Za-z:])"
    ),
    "CAR_PLATE": (
        r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z][ ·•-]?"
        r"(?:[A-HJ-NP-Z0-9]{5}|[A-HJK]\d{5}|\d{5}[A-HJK]|[A-HJ-NP-Z0-9]{4}[挂学警港澳])(?![A-Za-z0-9])"
    ),
}
COMPILED = {kind: re.compile(pattern, re.DOTALL) for kind, pattern in PATTERNS.items()}
KINDS = (*(kind for kind in PATTERNS if kind != "SECRET_SET"), "PHONE")
IMAGES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg")
GROUPED = {"PHONE", "BANK_CARD", "IBAN", "ID_CARD", "CAR_PLATE"}
# Letters, digits and what joins them; full-width commas and brackets stay, since they end a value.
NARROW = {c: c - 0xFEE0 for c in range(0xFF01, 0xFF5F) if chr(c - 0xFEE0).isalnum() or chr(c - 0xFEE0) in "@.-+"}
WIDE = re.compile(f"[{''.join(map(chr, NARROW))}]")
CARD_CUE = re.compile(r"card|visa|amex|\bcc\b|卡|账号|账户|银联", re.I)
# Issuers' first digits and lengths that other long numbers seldom have; the rest needs a cue.
CARD_BRANDS = re.compile(
    r"4\d{15}|(?:5[1-5]|2[2-7]|35)\d{14}|3[47]\d{13}|3(?:0[0-5]|6\d|8\d)\d{11}|(?:6011|6[45]\d\d)\d{12}|62\d{14,17}"
)


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Characters `start` to `end` of a text are personal data of a kind."""

    start: int
    end: int
    kind: str


def find(text: str, language: str = "en") -> list[Span]:
    """Personal data in a text, left to right, never overlapping; the earlier kind of the list above wins."""
    if not text:
        return []
    spans: list[Span] = []
    taken = bytearray(len(text))
    for span in candidates(text.translate(NARROW) if WIDE.search(text) else text, language):
        if not any(taken[span.start : span.end]):
            taken[span.start : span.end] = b"\1" * (span.end - span.start)
            spans.append(span)
    return sorted(spans)


def candidates(text: str, language: str) -> Iterator[Span]:
    checks = verdicts()
    for kind in kinds(text):
        for match in COMPILED[kind].finditer(text):
            if kind not in checks or checks[kind](match):
                yield Span(*match.span("value"), "SECRET") if kind == "SECRET_SET" else Span(*match.span(), kind)
    for start, end in phones(text, language):
        yield Span(start, end, "PHONE")


@cache
def verdicts() -> dict[str, Callable[[re.Match[str]], bool]]:
    """Kind -> the verdict on a candidate, a library's where there is one."""
    from stdnum import iban
    from stdnum.us import ssn

    return {
        "SECRET_SET": lambda match: is_drawn(match["value"]),
        "EMAIL": lambda match: is_mailbox(match[0]),
        "ID_CARD": is_resident_id,
        "IBAN": lambda match: iban.is_valid(match[0]),
        "BANK_CARD": is_bank_card,
        "SSN": lambda match: ssn.is_valid(match[0]),
        "IP": lambda match: is_public(match[0]),
        "CAR_PLATE": is_plate,
    }


def before(match: re.Match[str], reach: int) -> str:
    """The text that leads to a candidate."""
    return match.string[max(0, match.start() - reach) : match.start()]


def is_drawn(value: str) -> bool:
    """Drawn by a machine: several digits among letters, or one among both cases; `your-api-key-here` was written."""
    digits = sum(c.isdigit() for c in value)
    cases = any(map(str.isupper, value)) + any(map(str.islower, value))
    return cases > 0 and digits > (0 if cases == 2 and len(value) > 30 else 2)


def is_resident_id(match: re.Match[str]) -> bool:
    """Check digit and date of birth; districts come and go, so the first six digits are left alone.

    Ids of before 1999 have no check digit: those need a date of birth and the word.
    """
    from stdnum.cn import ric
    from stdnum.exceptions import ValidationError

    raw = re.sub(r"[ -]", "", match[0]).upper()
    if len(raw) == 15:
        if "身份证" not in before(match, 16):
            return False
        raw = f"{raw[:6]}19{raw[6:]}"
        raw += ric.calc_check_digit(raw + "0")
    try:
        ric.get_birth_date(raw)
        return ric.calc_check_digit(raw) == raw[-1]
    except ValidationError:
        return False


def is_bank_card(match: re.Match[str]) -> bool:
    """Luhn's digit, which every tenth number has by chance, and an issuer or a word such as card or 卡."""
    from stdnum import luhn

    digits = re.sub(r"\D", "", match[0])
    if not 12 <= len(digits) <= 19 or not luhn.is_valid(digits):
        return False
    return bool(CARD_BRANDS.fullmatch(digits) or CARD_CUE.search(before(match, 40)))


def is_mailbox(raw: str) -> bool:
    """`git@host` is where a repository lies, `icon@2x.png` an image for a fine screen."""
    return not raw.lower().startswith("git@") and not raw.lower().endswith(IMAGES)


def is_public(raw: str) -> bool:
    """Addresses of somebody's machine; those of a private network, of loopback and of documentation name nobody."""
    try:
        address = ipaddress.ip_address(raw)
    except ValueError:
        return False
    # `a:b::c` is an address too, and more often code.
    return address.is_global and (address.version == 4 or len(re.findall(r"[0-9A-Fa-f]{3,4}", raw)) > 2)


def is_plate(match: re.Match[str]) -> bool:
    """With few digits (新GTX970, 粤B·88K66) only what has a dot or the word before it; 最新A12345 is no plate."""
    if match[0][0] == "新" and before(match, 1) in tuple("最全更崭创"):
        return False
    return sum(c.isdigit() for c in match[0]) > 3 or "·" in match[0] or "车" in before(match, 8)


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
        folded = unicodedata.normalize("NFKC", value).lower()
        folded = re.sub(r"[\s().·-]", "", folded) if kind in GROUPED else folded
        if (kind, folded) not in self.named:
            count = sum(1 for k, _ in self.named if k == kind)
            self.named[kind, folded] = f"[{kind}_{count + 1}]"
        return self.named[kind, folded]
