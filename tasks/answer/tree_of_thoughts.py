"""Tree of Thoughts: several next steps at each point, weighed against each other, before an answer is written.

Yao et al., arXiv:2305.10601: breadth first the `breadth` best of a level go on (5), depth first one way is followed
until it is held impossible. What can be checked step by step (`judged_by: values`) is proposed several steps at a time
and valued sure, likely or impossible, three votes each, which count 20, 1 and 0.001; text (`judged_by: votes`, with
breadth 1, depth 1 and drafts 5) is drawn as five samples that five votes decide between. Departures: the teacher says
itself when a thought completes the solution, since no task is known beforehand; what most votes hold impossible is
pruned breadth first too, where the paper lets it linger at 0.001; the questions for one record are capped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import ClassVar, Literal

from pydantic import NonNegativeInt, PositiveInt

from tasks.answer.thoughts import Thinker, Thought, listed
from tasks.record import Kind, Record
from tasks.setting import MaxTokens, Temperature
from tasks.step import Outcome
from tasks.teacher.ask import Teacher, together
from tasks.teacher.endings import NoAnswer
from tasks.teacher.invented import Asked, Supposed
from tasks.teacher.outcomes import Reply
from tasks.teacher.taught import taught

STEP = 16  # tokens of a step, and of a verdict on it, in a plan
ASKS = ("propose", "sample", "value", "vote", "answer")


@dataclass(frozen=True, slots=True)
class TreeOfThoughts:
    """Every record with the answer that its best way of thinking leads to, or dropped as `unsolved`.

    `search`: breadth first, or depth first.
    `judged_by`: each point is valued by itself, or votes compare the points; dfs needs values.
    `breadth`: points of a level that go on.
    `depth`: the most steps of a way.
    `candidates`: next steps that a point gets.
    `value_votes`: how often a point is valued.
    `votes`: votes on the points of a level, and on the drafts.
    `drafts`: answers that are written at the end, for votes to decide between.
    `most_calls`: caps the calls for one record, those of the answer included; what was found by then is answered.
    `trace`: the most characters that the search leaves in the lineage of an answer.
    """

    search: Literal["bfs", "dfs"] = "bfs"
    judged_by: Literal["values", "votes"] = "values"
    breadth: PositiveInt = 5
    depth: PositiveInt = 3
    candidates: PositiveInt = 5
    value_votes: PositiveInt = 3
    votes: PositiveInt = 5
    drafts: PositiveInt = 1
    most_calls: PositiveInt = 200
    temperature: Temperature = 0.7
    max_tokens: MaxTokens = 4096
    trace: NonNegativeInt = 4000
    takes: ClassVar[Kind] = "prompts"
    gives: ClassVar[Kind] = "rows"
    role: ClassVar[str] = "teacher"
    prompts: ClassVar[tuple[str, ...]] = tuple(f"tree_of_thoughts/{what}" for what in ASKS)
    calls: ClassVar[str] = "at most most_calls a record; up to 177 by default, breadth first"
    shape: ClassVar[Literal["each"]] = "each"

    def __post_init__(self) -> None:
        if self.search == "dfs" and self.judged_by == "votes":
            raise ValueError("search: dfs needs judged_by: values; votes compare, and a single way has no rivals")

    async def __call__(self, record: Record, teacher: Teacher, dice: Random) -> Outcome:
        thinker = Thinker(record, teacher, self.most_calls - self.closing, self.temperature, self.max_tokens)
        best = await (self.deep(thinker) if self.search == "dfs" else self.broad(thinker))
        if best is None:
            return Outcome(noted=noted(thinker)).dropping("unsolved", thinker.trace(self.search, best, self.trace))
        answered = await self.answered(thinker, best)
        trace = thinker.trace(self.search, best, self.trace)
        return replace(Outcome.keeping(traced(answered, trace)), noted=noted(thinker))

    @property
    def closing(self) -> int:
        """The calls that writing the answer takes."""
        return self.drafts + (self.votes if self.drafts > 1 else 0)

    async def broad(self, thinker: Thinker) -> Thought | None:
        """Breadth first: the best of each level go on, and what is done waits beside them."""
        front = [Thought()]
        for _ in range(self.depth):
            done = [t for t in front if t.done]
            grown = await self.weighed(thinker, await self.next(thinker, [t for t in front if not t.done]))
            if not grown and thinker.capped:
                break
            ranked = sorted([*done, *grown], key=lambda t: -t.value)
            front = ranked[: self.breadth]
            thinker.fates |= {t.number: "outdone" for t in ranked[self.breadth :]}
            if all(t.done for t in front):
                break
        return finest([t for t in front if t.steps])

    async def deep(self, thinker: Thinker) -> Thought | None:
        """Depth first: the best step is followed to its end before the next best is; a way that ends unfinished at the
        depth limit is answered only where none is completed."""
        unfinished: list[Thought] = []
        todo = [Thought()]
        while todo and not thinker.capped:
            here = todo.pop()
            if here.done:
                return here
            if len(here.steps) == self.depth:
                unfinished.append(here)
                continue
            grown = await self.weighed(thinker, await self.next(thinker, [here]))
            thinker.fates |= {t.number: "outdone" for t in grown[self.breadth :]}
            todo += reversed(grown[: self.breadth])
        return finest([*unfinished, *(t for t in todo if t.done)])

    async def next(self, thinker: Thinker, thoughts: Sequence[Thought]) -> list[Thought]:
        ask = thinker.proposed if self.judged_by == "values" else thinker.sampled
        return await ask(thoughts, self.candidates) if thoughts else []

    async def weighed(self, thinker: Thinker, thoughts: Sequence[Thought]) -> list[Thought]:
        if self.judged_by == "values":
            return await thinker.valued(thoughts, self.value_votes)
        return await thinker.voted(thoughts, self.votes)

    async def answered(self, thinker: Thinker, best: Thought) -> Record:
        """The record with an answer from the best thought. Raises NoAnswer where not one comes."""
        sent, teacher = thinker.fill("answer", steps=listed(best.steps)), thinker.teacher
        thinker.left += self.closing - self.drafts
        thinker.asked += self.drafts
        ended = await together(
            teacher.ask(sent, self.temperature, self.max_tokens, sample=i) for i in range(self.drafts)
        )
        replies = [one for one in ended if isinstance(one, Reply)]
        if not replies:
            raise next(one for one in ended if isinstance(one, NoAnswer))
        votes = await thinker.ballot([r.text for r in replies], self.votes)
        reply = replies[votes.index(max(votes))]
        answered = thinker.record.answering(reply.text.strip())
        return taught(answered, teacher, sent, (reply.prompt_tokens, reply.response_tokens))

    def example(self, asked: Asked) -> Supposed:
        """For a plan: steps that are done at the last level, and as many verdicts of impossible as of sure."""
        done = len(asked.given.get("steps", "").splitlines()) + 1 >= self.depth
        short = replace(asked, length=STEP)
        match asked.shape:
            case "proposed":
                return {"steps": [{"step": short.words(STEP), "done": done} for _ in range(self.candidates)]}
            case "next":
                return {"step": asked.words(asked.length), "done": done}
            case "valued":
                sure, impossible = ("一定", "不可能") if asked.language == "zh" else ("sure", "impossible")
                return {"reason": short.words(STEP), "value": asked.chance.choice((sure, impossible))}
            case "voted":
                return short.reply()
        return None


def finest(thoughts: Sequence[Thought]) -> Thought | None:
    """The one of the highest value, a finished one before all that are not."""
    return max(thoughts, key=lambda t: (t.done, t.value), default=None)


def traced(record: Record, trace: str) -> Record:
    """The record whose last line of lineage tells of the search."""
    *before, last = record.lineage
    return replace(record, lineage=(*before, replace(last, detail=trace)))


def noted(thinker: Thinker) -> tuple[str, ...]:
    """What happened on the way: replies that nobody could read, a search that its cap ended."""
    return ("unreadable_reply",) * thinker.unread + ("capped",) * thinker.capped
