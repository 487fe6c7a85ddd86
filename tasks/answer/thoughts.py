"""Thoughts of a search: how a teacher is asked for more of them, what it thinks of them, and what is kept of it all.

One `Thinker` works for one record and counts its questions, so that a search ends where its cap says. A reply that
cannot be read is not asked again here: it is one thought, or one vote, less.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, Field

from tasks.answer.pick import numbered
from tasks.prompt import Filled, load
from tasks.record import Record
from tasks.teacher.ask import Teacher, together
from tasks.teacher.endings import NoAnswer
from tasks.text import key
from tasks.transcript import asked

WORTH = {"sure": 20.0, "一定": 20.0, "likely": 1.0, "可能": 1.0, "impossible": 0.001, "不可能": 0.001}
IMPOSSIBLE = ("impossible", "不可能")
AROUND = " .!\"'。！“”「」"  # what may stand around a verdict that is one word
SHOWN = 100  # characters of a step in the trace
Shape = TypeVar("Shape", bound=BaseModel)


class Next(BaseModel):
    """A step that may come next, and whether it completes the solution."""

    step: str
    done: bool


class Proposed(BaseModel):
    """Several different next steps."""

    steps: list[Next]


class Valued(BaseModel):
    """Whether the goal can be reached from a thought, in the language of the question."""

    reason: str
    value: Annotated[
        Literal["sure", "likely", "impossible", "一定", "可能", "不可能"],
        BeforeValidator(lambda said: said.strip(AROUND).lower() if isinstance(said, str) else said),
    ]


class Voted(BaseModel):
    """The number of the best candidate, from 1."""

    reason: str
    best: int = Field(ge=1)


@dataclass(frozen=True, slots=True)
class Thought:
    """Steps taken so far; `number` and `parent` name it and the thought it goes on from in the trace."""

    steps: tuple[str, ...] = ()
    done: bool = False
    value: float = 0.0
    number: int = 0
    parent: int = 0


@dataclass
class Thinker:
    """A teacher who thinks about one record, for at most `left` questions more."""

    record: Record
    teacher: Teacher
    left: int
    temperature: float = 0.7
    max_tokens: int = 4096
    capped: bool = False
    asked: int = 0
    unread: int = 0
    tree: list[Thought] = field(default_factory=list)
    fates: dict[int, str] = field(default_factory=dict)

    async def proposed(self, thoughts: Sequence[Thought], most: int) -> list[Thought]:
        """Next thoughts after each of these, by one question each that asks for several. A reply that cannot be read is
        drawn once more, since all ways on hang on it."""
        sent = [self.fill("propose", steps=listed(t.steps), many=str(most)) for t in thoughts[: self.take(thoughts)]]
        replies = await self.ask([(s, 0) for s in sent], Proposed)
        failed = [i for i, reply in enumerate(replies) if reply is None]
        failed = failed[: self.take(failed)]
        for i, reply in zip(failed, await self.ask([(sent[i], 1) for i in failed], Proposed), strict=True):
            replies[i] = reply
        return self.grown([(t, r.steps[:most]) for t, r in zip(thoughts, replies, strict=False) if r])

    async def sampled(self, thoughts: Sequence[Thought], most: int) -> list[Thought]:
        """Next thoughts after each of these, each drawn by a question of its own."""
        wanted = [(t, i) for t in thoughts for i in range(most)]
        wanted = wanted[: self.take(wanted)]
        sent = [(self.fill("sample", steps=listed(t.steps)), i) for t, i in wanted]
        replies = await self.ask(sent, Next)
        return self.grown([(t, [r]) for (t, _), r in zip(wanted, replies, strict=True) if r])

    def grown(self, found: Sequence[tuple[Thought, Sequence[Next]]]) -> list[Thought]:
        """The steps as thoughts, each once."""
        seen: set[tuple[str, ...]] = set()
        made: list[Thought] = []
        for parent, steps in found:
            for one in steps:
                path = (*parent.steps, one.step.strip())
                folded = tuple(map(key, path))
                if folded[-1] and folded not in seen:
                    seen.add(folded)
                    made.append(Thought(path, one.done, 0.0, len(self.tree) + 1, parent.number))
                    self.tree.append(made[-1])
        return made

    async def valued(self, thoughts: Sequence[Thought], votes: int) -> list[Thought]:
        """Those that are not held impossible by most, each with what its votes add up to, the best first; one whose
        votes cannot be read stays, behind the others."""
        fit = thoughts[: self.take(thoughts, votes)]
        sent = [(self.fill("value", steps=listed(t.steps)), i) for t in fit for i in range(votes)]
        said = await self.ask(sent, Valued)
        self.fates |= {t.number: "unvalued" for t in thoughts[len(fit) :]}
        found: list[Thought] = []
        for n, thought in enumerate(fit):
            words = [r.value for r in said[n * votes : (n + 1) * votes] if r]
            self.tree[thought.number - 1] = thought = replace(thought, value=sum(WORTH[w] for w in words))
            if not words or 2 * sum(w in IMPOSSIBLE for w in words) < len(words):
                found.append(thought)
            else:
                self.fates[thought.number] = "pruned"
        return sorted(found, key=lambda t: -t.value)

    async def voted(self, thoughts: Sequence[Thought], votes: int) -> list[Thought]:
        """All of them with the votes that each got in one list, the best first; nobody votes on a single one."""
        given = await self.ballot([listed(t.steps) for t in thoughts], votes)
        for n, thought in enumerate(thoughts):
            self.tree[thought.number - 1] = replace(thought, value=given[n])
        return sorted((self.tree[t.number - 1] for t in thoughts), key=lambda t: -t.value)

    async def ballot(self, candidates: Sequence[str], votes: int) -> list[float]:
        """How many votes each candidate gets."""
        given = [0.0] * len(candidates)
        if len(candidates) > 1:
            sent = self.fill("vote", candidates=numbered(candidates))
            for vote in await self.ask([(sent, i) for i in range(self.take(range(votes)))], Voted):
                if vote and vote.best <= len(given):
                    given[vote.best - 1] += 1
        return given

    def fill(self, what: str, **values: str) -> Filled:
        prompt = load(f"tree_of_thoughts/{what}", self.record.language)
        return prompt.fill(None, conversation=asked(self.record), **values)

    def take(self, wanted: Sequence[Any], each: int = 1) -> int:
        """How many of these may be asked about, at so many questions each."""
        fit = min(len(wanted), max(0, self.left) // each)
        self.capped |= fit < len(wanted)
        self.left -= fit * each
        return fit

    async def ask(self, sent: Sequence[tuple[Filled, int]], shape: type[Shape]) -> list[Shape | None]:
        """The replies in their order, None for one that cannot be read or does not come."""
        self.asked += len(sent)
        language, how = self.record.language, (self.temperature, self.max_tokens, 0)
        ended = await together(self.teacher.ask_json(s, shape, language, *how, sample=i) for s, i in sent)
        read = [None if isinstance(one, NoAnswer) else one[0] for one in ended]
        self.unread += read.count(None)
        return read

    def trace(self, search: str, best: Thought | None, most: int) -> str:
        """The search as JSON of at most `most` characters: [number, parent, step, value, fate] for each thought.

        Where not all fit, those on the way to the best stay before others, by their fate; `left_out` counts the rest.
        """
        way = path(self.tree, best)
        fates = {t.number: "best" if t.number in way else self.fates.get(t.number, "kept") for t in self.tree}
        order = sorted(self.tree, key=lambda t: (FATES.index(fates[t.number]), t.number))
        nodes = [[t.number, t.parent, t.steps[-1][:SHOWN], round(t.value, 3), fates[t.number]] for t in order]
        told = {"search": search, "questions": self.asked, "capped": self.capped, "unread": self.unread}
        for kept in range(len(nodes), -1, -1):
            text = compact(told | {"left_out": len(nodes) - kept, "thoughts": sorted(nodes[:kept])})
            if len(text) <= most:
                return text
        return ""


FATES = ("best", "kept", "outdone", "pruned", "unvalued")


def path(tree: Sequence[Thought], last: Thought | None) -> set[int]:
    """The numbers on the way to a thought."""
    way: set[int] = set()
    number = last.number if last else 0
    while number:
        way.add(number)
        number = tree[number - 1].parent
    return way


def listed(steps: Sequence[str]) -> str:
    """Steps as numbered lines."""
    return "\n".join(f"{i}. {step}" for i, step in enumerate(steps, 1))


def compact(plain: Any) -> str:
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
