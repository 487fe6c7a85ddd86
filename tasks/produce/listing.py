"""A numbered list of tasks as a teacher writes it, read as strictly as it can be and as kindly as it must be.

    1. Instruction: ...
    1. Input: ...
    1. Output: ...

Teachers bold the words, leave out the numbers behind the first line, use full-width colons and draw lines between the
tasks; all of that is read. A task whose output is missing, or whose parts come twice or in another order, is ill, and
counted: nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tasks.produce.screen import Task

RULE = re.compile(r"\n[\s#*=_-]*\Z")  # a line drawn behind a task
Heading = re.Match[str]


@dataclass(frozen=True, slots=True)
class Listing:
    """The names of the three parts, in the order in which they come."""

    parts: tuple[str, str, str]

    def read(self, text: str) -> tuple[list[Task], int]:
        """The tasks of a reply, and how many there were besides that are ill."""
        headings = [h for h in self.heading.finditer(text)]
        begins = [h for h in headings if self.part(h) == 0]
        begins = [h for h in begins if h[1]] or begins
        ends = [h.start() for h in begins[1:]] + [len(text)]
        found = [self.task(text[begin.start() : end]) for begin, end in zip(begins, ends, strict=False)]
        tasks = [task for task in found if task]
        return tasks, len(found) - len(tasks)

    def task(self, text: str) -> Task | None:
        """One task; None where it is ill."""
        headings = list(self.heading.finditer(text))
        numbered = [h for h in headings if h[1] == headings[0][1]]
        if headings[0][1] and any(self.part(h) == 2 for h in numbered):
            chosen = numbered  # each line bears the number, so a line without it is part of a text
        else:
            chosen = rising(headings, [self.part(h) for h in headings])
        if [self.part(h) for h in chosen] not in ([0, 2], [0, 1, 2]):
            return None
        ends = [h.start() for h in chosen[1:]] + [len(text)]
        said = {self.part(h): RULE.sub("", text[h.end() : end]).strip() for h, end in zip(chosen, ends, strict=True)}
        return Task(said[0], said.get(1, ""), said[2]) if said[0] else None

    def part(self, heading: Heading) -> int:
        return [name.lower() for name in self.parts].index(heading[2].lower())

    @property
    def heading(self) -> re.Pattern[str]:
        names = "|".join(map(re.escape, self.parts))
        return re.compile(
            rf"^[ \t#>*_-]*(?:(\d+)[ \t]*[.)、．]?[ \t]*)?[*_]*({names})[*_]*[ \t]*[:：][*_]*", re.M | re.I
        )


def rising(headings: Sequence[Heading], parts: Sequence[int]) -> list[Heading]:
    """The headings that go on from the one before; one that goes back stands in a text."""
    chosen, last = list[Heading](), -1
    for heading, part in zip(headings, parts, strict=True):
        if part > last:
            chosen.append(heading)
            last = part
    return chosen
