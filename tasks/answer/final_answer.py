"""The final answer of a worked solution: where it stands, and whether it says the same as another.

It is what stands in the last \\boxed{}, else after ####, else after a line's `A:`, `Answer:`, `the answer is`, 答案是,
答：, else the last number of the text. Two are the same where their numbers are (`quantity.py`), in whatever order
where there are several; where the right one has no number, where their words are, or the letter of a choice.
Nothing is evaluated: a solution is hostile text.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from tasks.answer.arithmetic import value
from tasks.answer.quantity import Quantity, plain, quantities

BOXED = re.compile(r"\\(?:boxed|fbox)\s*\{")
HASHES = re.compile(r"####\s*(.+)")
MARKED = re.compile(
    r"(?:^|\n)[\s>*#_-]*(?:final answer|answer|ans|a)[*_]*\s*[:：][*_]*[^\S\n]*(?P<line>[^\n]+)"
    r"|\b(?:final )?answer (?:is|comes to|equals|=)\s*:?(?P<said>[^\n]+)"
    r"|(?:最终答案|最后答案|答案|答)[*_]*\s*(?:是|为|应为|等于|[:：])[*_]*\s*[:：]?(?P<chinese>[^\n]+)",
    re.I,
)
SENTENCE = re.compile(r"(?<=[^\d\s])[.。;；!！](?:\s|$)|(?<=\d)\.(?:\s|$)|[。；！]")
SEVERAL = re.compile(r"=[^=]*(?:\bor\b|\band\b|[,，、;；或和])[^=]*=", re.I)
CHOICE = re.compile(r"(?<![A-Za-z])\(?([A-J])\)?(?![A-Za-z'’])")
EDGES = " \t\n.,;:!?。，；：！？、'\"“”‘’()（）[]{}$*_`"
FORMULA = re.compile(r"[√π∞^]|\\|\b(?:sqrt|pi|ln|log|sin|cos|tan)\b|(?<![A-Za-z])[nxyz](?![A-Za-z])", re.I)
SHORT = 60  # characters: a text of one such line is the answer itself


@dataclass(frozen=True, slots=True)
class Final:
    """A final answer: its words, and the numbers in them."""

    text: str
    numbers: tuple[Quantity, ...]

    @classmethod
    def of(cls, solution: str) -> Final | None:
        """None where a text states no answer."""
        said = stated(solution)
        if said is not None:
            words = plain(said)
            return cls(words, numbers(words))
        found = quantities(plain(solution))
        return cls("", (found[-1],)) if found else None

    def right(self, reference: Final) -> bool:
        """Whether it says what the reference says."""
        if reference.numbers:
            wanted = reference.numbers
            return bool(self.numbers) and (
                self.numbers[0].same(wanted[0]) if len(wanted) == 1 else alike(self.numbers, wanted)
            )
        if len(letter := folded(reference.text)) == 1 and letter.isascii():
            chosen = CHOICE.search(self.text)
            return bool(chosen) and chosen[1].lower() == letter if chosen else folded(self.text) == letter
        return bool(folded(reference.text)) and folded(self.text) == folded(reference.text)


def agree(one: str, other: str) -> bool:
    """Whether two bare results say the same, neither being the right one: 99 % and 百分之九十九, 5 and w = 5 cm.

    A formula has numbers that are not its result (√2, 2x + 1): such are the same in the same words alone.
    """
    if folded(one) == folded(other):
        return bool(folded(one))
    if any(FORMULA.search(plain(text).rsplit("=", 1)[-1]) for text in (one, other)):
        return False
    some, others = (Final.of(text) or Final(plain(text), ()) for text in (one, other))
    both = (some.right(others), others.right(some))
    return all(both) if some.numbers or others.numbers else any(both)


def right(solution: str, reference: str) -> bool:
    """Whether a solution ends in the answer that a reference (an answer, or a solution itself) ends in."""
    found, wanted = Final.of(solution), Final.of(reference)
    return found is not None and wanted is not None and found.right(wanted)


def stated(solution: str) -> str | None:
    """The words in which the answer is given, or None where no mark says where they stand."""
    if box := boxed(solution):
        return box
    if found := HASHES.findall(solution):
        return first_sentence(found[-1])
    marked = [m["line"] or m["said"] or m["chinese"] for m in MARKED.finditer(solution)]
    if marked:
        return first_sentence(marked[-1])
    whole = solution.strip()
    return whole if whole and "\n" not in whole and len(whole) <= SHORT else None


def boxed(solution: str) -> str | None:
    """What stands in the last box, whose braces may hold others."""
    for opened in reversed(list(BOXED.finditer(solution))):
        depth = 1
        for at in range(opened.end(), len(solution)):
            depth += {"{": 1, "}": -1}.get(solution[at], 0)
            if not depth:
                return solution[opened.end() : at]
    return None


def first_sentence(text: str) -> str:
    return SENTENCE.split(text.strip(), maxsplit=1)[0].strip()


def numbers(words: str) -> tuple[Quantity, ...]:
    """The numbers of a final answer: what stands after its last equals sign, or what it comes to as an expression."""
    end = words if SEVERAL.search(words) else words.rsplit("=", 1)[-1].strip()
    tidy = end.strip(EDGES.replace("(", "").replace(")", ""))
    if re.search(r"[+*×÷(^]|\d\s*-\s*\d", tidy) and (worth := value(tidy)) is not None:
        return (Quantity(worth),)
    return tuple(quantities(end))


def alike(some: tuple[Quantity, ...], wanted: tuple[Quantity, ...]) -> bool:
    """The same numbers, each once, in whatever order."""
    rest = list(some)
    for one in wanted:
        twin = next((r for r in rest if one.same(r)), None)
        if twin is None:
            return False
        rest.remove(twin)
    return not rest


def folded(text: str) -> str:
    """Words without case, spaces and marks at their ends."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).strip(EDGES).lower()
