"""What one user repeats, and what many paste: a fold over the whole run, day by day.

Counts are taken within the days (UTC) on which rows were asked, in the order of the log, and on days with at least
20 users: a day is the same in a weekly run and in one over eight weeks, and in shards of any size. Only a run that
ends in the middle of a day, or rows that come late, see a day in two parts. A log that names one user for all
(a service account), or none, is left alone.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import pyarrow as pa

from tasks.chosen import Chosen
from tasks.schema import streamed
from tasks.step import Drop, Folded
from tasks.text import CJK, key

MANY_USERS = 20
LINE = 20  # characters from which a line can be boilerplate
ENDS = 60, 24  # characters by which asks begin or end alike: Latin, Chinese
DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Said:
    """A row as this step sees it: `row` is its number in the table, `lines` what is asked, folded."""

    row: int
    order: tuple[Any, str]
    user: str
    lines: tuple[str, ...]

    @property
    def ends(self) -> set[str]:
        """How it begins and how it ends, digits aside; none for an ask that is hardly longer."""
        whole = DIGITS.sub("0", "\n".join(self.lines))
        begin, end = whole[: size(whole[: max(ENDS)])], whole[-size(whole[-max(ENDS) :]) :]
        return {mark for mark, part in ((f"^{begin}", begin), (f"{end}$", end)) if len(part) == size(part)}


def size(text: str) -> int:
    """How many characters of a text of this kind make an end."""
    return ENDS[len(CJK.findall(text)) * 10 >= 3 * len(text)]


@dataclass(frozen=True, slots=True)
class Repeated:
    """`user_rows` or `user_share` of a day, whichever is more, is what one user may ask, and `alike` how often alike.
    A line that `pasted_users` ask in a day is boilerplate, and a row of `pasted_share` boilerplate goes."""

    user_rows: int = 200
    user_share: float = 0.05
    alike: int = 20
    pasted_users: int = 5
    pasted_share: float = 0.9
    shape: ClassVar[Literal["fold"]] = "fold"

    def __call__(self, table: pa.Table) -> Folded:
        days: dict[str, list[Said]] = defaultdict(list)
        for day, said in rows_of(table):
            days[day].append(said)
        dropped: dict[int, Drop] = {}
        for rows in days.values():
            if len({said.user for said in rows}) >= MANY_USERS:
                dropped |= self.pasted(rows) | self.over(sorted(rows, key=lambda said: said.order))
        kept = [i for i in range(table.num_rows) if i not in dropped]
        return Folded(Chosen(table, kept), sorted(dropped.items(), key=lambda pair: pair[0]))

    def over(self, rows: Iterable[Said]) -> dict[int, Drop]:
        """What is beyond a user's share of the day; rows without a user have no share."""
        rows = list(rows)
        most = max(self.user_rows, int(self.user_share * len(rows)))
        asked, alike = Counter[str](), Counter[tuple[str, str]]()
        dropped = {}
        for said in rows:
            same = max((alike[said.user, end] for end in said.ends), default=0)
            if said.user and (same >= self.alike or asked[said.user] >= most):
                what = f"{same} begin or end alike" if same >= self.alike else f"{most} rows"
                dropped[said.row] = Drop("user_repeats", f"{what} from this user on that day")
            else:
                asked[said.user] += 1
                alike.update((said.user, end) for end in said.ends)
        return dropped

    def pasted(self, rows: Iterable[Said]) -> dict[int, Drop]:
        """Rows that are little but lines that many users ask on one day."""
        rows = list(rows)
        users: dict[str, set[str]] = defaultdict(set)
        for said in rows:
            for line in said.lines:
                if len(line) >= LINE and said.user:
                    users[line].add(said.user)
        common = {line for line, who in users.items() if len(who) >= self.pasted_users}
        dropped = {}
        for said in rows:
            share = sum(len(s) for s in said.lines if s in common) / max(1, sum(map(len, said.lines)))
            if share >= self.pasted_share and len(said.lines) > 1:
                dropped[said.row] = Drop("boilerplate", f"{share:.0%} of it is lines that many pasted")
        return dropped


def rows_of(table: pa.Table) -> Iterable[tuple[str, Said]]:
    """Each row with its day."""
    for i, record in enumerate(streamed(table)):
        lines = tuple(line for part in record.instruction.split("\n") if (line := key(part)))
        yield f"{record.asked_at:%Y-%m-%d}", Said(i, (record.asked_at, record.roots[0]), record.user, lines)
