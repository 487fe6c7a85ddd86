"""A long text as passages: cut where its structure allows, at headings, paragraphs and sentences.

Each passage keeps the headings that it stood under, and the title of its text, so that it says by itself what it is
about. A plain text has no mark for its title: it is a first line that stands alone and is no sentence. Where a section
is cut, the next passage begins with the last sentences of the one before. Lengths are in words of English and
characters of Chinese (`tasks.text.units`); Chinese is cut at 。！？；, as it has no spaces. A fenced block of code is
never cut, a table only between its rows, with its header above each part.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import takewhile

from tasks.text import CJK, FENCE, units

LONGEST_HEADING = 150  # in letters: a longer line is a text whose lines were lost
LONGEST_TITLE = 30  # in words of English and characters of Chinese
PARAGRAPH, LINE, SAME = "\n\n", "\n", ""
MARKED = re.compile(r"(#{1,6})\s+(\S.*)")
NUMBERED = (
    re.compile(
        r"第[一二三四五六七八九十百零〇\d]{1,5}[编篇部章](?:[\s　]\S{1,30})?|(?:Part|Chapter) [\dIVX]+\b[^.;]{0,60}"
    ),
    re.compile(r"第[一二三四五六七八九十百零〇\d]{1,5}节(?:[\s　]\S{1,30})?|Section [\dIVX.]+\b[^.;]{0,60}"),
    re.compile(r"[一二三四五六七八九十]{1,3}、[^。！？；：，,]{1,30}"),
)
SENTENCE = re.compile(r".+?(?:[。！？；…]+[”’」』）]*|[.!?]+[\"'”’)\]]*(?=\s)|\Z)\s*", re.S)
CLAUSE = re.compile(r".+?(?:[，、：,;:]|\Z)\s*", re.S)
WORD = re.compile(rf"{CJK.pattern}|[^\s\u3400-\u9fff]{{1,40}}\s*|\s+")
NO_TITLE = re.compile(r"[-*>|`\[{(•].*|.*[。！？；：，、….!?;:,|]")
RULE = re.compile(r"\|[-|: ]+\|")


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of text under its headings; `joint` is what stood between it and the piece before."""

    heads: tuple[str, ...]
    text: str
    joint: str = PARAGRAPH

    @property
    def size(self) -> int:
        return units(self.text)


def passages(text: str, length: int, overlap: int) -> list[str]:
    """The passages of a text, in order. A section that is short stands together with what comes after it."""
    made: list[list[Block]] = []
    current: list[Block] = []
    for block in (piece for whole in blocks(text) for piece in cut(whole, length)):
        size = sum(b.size for b in current)
        turned = bool(current) and block.heads != current[-1].heads
        if current and (size + block.size > length or (turned and 4 * size >= length)):
            made.append(current)
            current = [] if turned else tail(current, min(overlap, length - block.size))
        current = [*current, block]
    return [shown(one) for one in [*made, current] if one]


def blocks(text: str) -> Iterator[Block]:
    """Paragraphs, tables and fenced blocks, each under its headings."""
    named, text = title(text)
    heads = {0: named} if named else {}
    for part in FENCE.split(text):
        if FENCE.fullmatch(part):
            yield Block(tuple(heads.values()), part.strip("\n"))
            continue
        for paragraph in re.split(r"\n\s*\n", part):
            lines: list[str] = []
            for line in filter(str.strip, paragraph.split("\n")):
                if level := heading(line.strip()):
                    yield from body(heads, lines)
                    lines = []
                    heads = {k: v for k, v in heads.items() if k < level} | {level: line.strip()}
                else:
                    lines.append(line.rstrip())
            yield from body(heads, lines)


def title(text: str) -> tuple[str, str]:
    """The title of a plain text and what stands below it; an empty one where the text begins in another way."""
    first, _, rest = text.strip().partition("\n")
    alone, below = not rest.partition("\n")[0].strip(), rest.strip()
    long = units(first) > LONGEST_TITLE or len(first) > LONGEST_HEADING
    if not alone or not below or long or heading(first) or NO_TITLE.fullmatch(first):
        return "", text
    return first, below


def body(heads: dict[int, str], lines: list[str]) -> Iterator[Block]:
    if lines:
        yield Block(tuple(heads.values()), "\n".join(lines))


def heading(line: str) -> int:
    """The level of a heading, 0 for a line that is none. Numbered ones stand below those marked with #."""
    if len(line) > LONGEST_HEADING:
        return 0
    if marked := MARKED.fullmatch(line):
        return len(marked[1])
    return next((7 + i for i, pattern in enumerate(NUMBERED) if pattern.fullmatch(line)), 0)


def cut(block: Block, length: int) -> Iterator[Block]:
    """The block whole, or in pieces that are not longer than asked: lines, else sentences, else clauses, else words."""
    if block.size <= length or FENCE.fullmatch(block.text):
        yield block
        return
    lines = block.text.split("\n")
    if len(lines) > 2 and RULE.fullmatch(lines[1].strip()):
        yield from table(block, lines, length)
        return
    joint = block.joint
    for line in lines:
        for piece in filter(str.strip, pieces(line, length, (SENTENCE, CLAUSE))):
            yield Block(block.heads, piece, joint)
            joint = SAME
        joint = LINE


def table(block: Block, lines: list[str], length: int) -> Iterator[Block]:
    """A table in parts, each below the header."""
    header, rows, size = lines[:2], list[str](), units("\n".join(lines[:2]))
    taken = size
    for row in lines[2:]:
        if rows and taken + units(row) > length:
            yield replace(block, text="\n".join([*header, *rows]))
            rows, taken = [], size
        rows, taken = [*rows, row], taken + units(row)
    yield replace(block, text="\n".join([*header, *rows]))


def pieces(text: str, length: int, ways: tuple[re.Pattern[str], ...]) -> Iterator[str]:
    """The coarsest pieces that fit; in the end as many words or characters as do."""
    if units(text) <= length:
        yield text
    elif ways:
        for piece in ways[0].findall(text):
            yield from pieces(piece, length, ways[1:])
    else:
        yield from runs(text, length)


def runs(text: str, length: int) -> Iterator[str]:
    run, size = "", 0
    for word in WORD.findall(text):
        if run and size + units(word) > length:
            yield run
            run, size = "", 0
        run, size = run + word, size + units(word)
    yield run


def tail(before: list[Block], overlap: int) -> list[Block]:
    """The last sentences of a section's passage, as many as fit into the overlap; none of a table or of code."""
    heads, taken = before[-1].heads, ""
    for block in reversed(before):
        if block.heads != heads or block.text.startswith("|") or FENCE.fullmatch(block.text):
            break
        for sentence in reversed(SENTENCE.findall(block.text)):
            if units(sentence + taken) > overlap:
                return [Block(heads, taken.strip("\n"))] if taken.strip() else []
            taken = sentence + taken
        taken = block.joint + taken
    return [Block(heads, taken.strip("\n"))] if taken.strip() else []


def shown(group: list[Block]) -> str:
    """Blocks as one text: all headings of the first, and of the others those that are new."""
    text, before = "", tuple[str, ...]()
    for block in group:
        shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, block.heads, strict=False)))
        fresh = () if block.heads == before else block.heads[shared:]
        joint = PARAGRAPH if fresh else block.joint
        text += "".join(PARAGRAPH + head for head in fresh) + joint + block.text
        before = block.heads
    return text.strip()
