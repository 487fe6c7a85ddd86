"""How much of a source may be unreadable: beyond that, the file or its mapping is wrong, and the run stops.

Only lines that no earlier increment knows count, so that a source that went through once with a bound
of its own goes on without it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tasks.pull.lines import Line
from tasks.recipe import Pulling, RecipeError

FEWEST = 20
SHOWN = 3


@dataclass(slots=True)
class Met:
    """New lines of a file or a source, those among them that cannot be read, and the first of these."""

    what: str
    lines: int = 0
    bad: int = 0
    first: list[str] = field(default_factory=list)

    def count(self, line: Line, reason: str) -> None:
        self.lines += 1
        self.bad += bool(reason)
        if reason and len(self.first) < SHOWN:
            where = f" line {line.number}" if line.number else ""
            self.first.append(f"{printable(line.file)}{where}: {reason}")


@dataclass(slots=True)
class Bounds:
    """Counts the new lines of a source, file by file."""

    bound: Pulling
    source: Met
    file: Met = field(default_factory=lambda: Met(""))

    def begin(self, file: str) -> None:
        self.file = Met(printable(file))

    def count(self, line: Line, reason: str = "") -> None:
        """One new line; `reason` says why it cannot be read. Raises RecipeError where there are too many."""
        self.file.count(line, reason)
        self.source.count(line, reason)
        most = self.bound.max_unreadable_rows
        if reason and most is not None and self.source.bad > most:
            self.stop(self.source, f"more than {most}", "pull.max_unreadable_rows")

    def end(self, met: Met) -> None:
        """The end of a file, or of the source. Raises RecipeError where too large a share cannot be read."""
        if met.lines >= FEWEST and met.bad > self.bound.max_unreadable_share * met.lines:
            most = f"more than {self.bound.max_unreadable_share:.0%}"
            self.stop(met, most, "pull.max_unreadable_share")

    def stop(self, met: Met, most: str, where: str) -> None:
        share = f"{met.bad} of {met.lines} new lines cannot be read ({met.bad / met.lines:.0%}, {most})"
        hint = "mend the file or the source's mapping, or raise the bound"
        raise RecipeError(f"{met.what}: {share}; {', '.join(met.first)}", where, hint)


def printable(name: str) -> str:
    """A file's name with nothing in it that a terminal would obey."""
    return "".join(c if c.isprintable() else "\ufffd" for c in name)
