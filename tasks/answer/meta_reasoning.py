"""Multi-chain reasoning (MCR): several chains look a question up, and one reader of all they found answers it.

Yoran et al., arXiv:2304.13007: each chain takes the question apart into small questions, one after the other, and looks
each up; five chains, the first at temperature 0 and the others at 0.7. The reader gets the evidence of all chains
shuffled, so that no chain is believed for its place, and is not told which chain answered what. Departures: the small
question and what was found for the one before it are asked for in one reply, a call less for each; the reader may say
that the corpus does not hold the answer, and then there is none.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, Field, NonNegativeInt

from tasks.alone import refers, unled
from tasks.answer.corpus import Passage, read, terms_of
from tasks.answer.thoughts import compact
from tasks.prompt import load
from tasks.record import Kind, Record
from tasks.setting import KeepReasoning, MaxTokens, Reasks, Temperature
from tasks.step import Outcome
from tasks.teacher.ask import Teacher, together
from tasks.teacher.invented import Asked, Supposed
from tasks.teacher.taught import taught
from tasks.text import key
from tasks.transcript import asked

SENTENCE = 24  # tokens of a finding, in a plan


class Followed(BaseModel):
    """What the passages say on the last small question, and the next one; either may be empty."""

    finding: str
    question: str


class Concluded(BaseModel):
    """An answer from all evidence, or that there is none in it."""

    reasoning: str
    known: bool
    answer: str


@dataclass
class Hop:
    """A small question, what was found for it, and what that says."""

    question: str
    passages: list[Passage]
    finding: str = ""


@dataclass
class Chain:
    """The hops of one chain; `unread` says that one of its replies was none."""

    hops: list[Hop] = field(default_factory=list)
    unread: bool = False


@dataclass(frozen=True, slots=True)
class MetaReasoning:
    """Every record with an answer from the corpus, or dropped as `unsupported` where the corpus does not hold it, or as
    `not_self_contained` where the answer speaks of texts that its reader does not see.

    Evidence is looked up in the record's own language.

    `corpus`: a file of passages, JSON Lines.
    `chains`: how many look the question up, each by itself; the first at temperature 0.
    `hops`: the most small questions of a chain.
    `passages`: texts that are read for each small question.
    `detail`: the most characters of evidence in the lineage of an answer.
    """

    corpus: str = "data/corpus/passages.jsonl"
    chains: Annotated[int, Field(ge=1)] = 5
    hops: Annotated[int, Field(ge=1)] = 4
    passages: Annotated[int, Field(ge=1)] = 2
    temperature: Temperature = 0.7
    max_tokens: MaxTokens = 4096
    reasks: Reasks = 1
    keep_reasoning: KeepReasoning = False
    detail: NonNegativeInt = 4000
    takes: ClassVar[Kind] = "prompts"
    gives: ClassVar[Kind] = "rows"
    role: ClassVar[str] = "teacher"
    prompts: ClassVar[tuple[str, ...]] = ("meta_reasoning/follow", "meta_reasoning/conclude", "reask")
    calls: ClassVar[str] = "at most chains x (hops + 1) + 1 a record"
    shape: ClassVar[Literal["each"]] = "each"

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.corpus,)

    async def __call__(self, record: Record, teacher: Teacher, dice: Random) -> Outcome:
        chains = await together(self.chain(record, teacher, number) for number in range(self.chains))
        found = [c for c in chains if isinstance(c, Chain)]
        hops = [hop for chain in found for hop in chain.hops]
        outcome = Outcome(noted=("unreadable_reply",) * sum(c.unread for c in found))
        if not any(hop.passages for hop in hops):
            return outcome.dropping("unsupported", "no passage was found for any small question")
        return await self.concluded(record, teacher, hops, outcome, dice)

    async def chain(self, record: Record, teacher: Teacher, number: int) -> Chain:
        """Small questions until the teacher has enough or `hops` were asked; one asked before ends it too."""
        corpus, chain = read(self.corpus, record.language), Chain()
        prompt = load("meta_reasoning/follow", record.language)
        warmth = self.temperature if number else 0.0
        while True:
            sent = prompt.fill(conversation=asked(record), trail=compact([plain(hop) for hop in chain.hops]))
            how = (warmth, self.max_tokens, self.reasks, number)
            said, _ = await teacher.ask_json(sent, Followed, record.language, *how)
            if said is None:
                return replace(chain, unread=True)
            if chain.hops:
                chain.hops[-1].finding = said.finding.strip()
            question = said.question.strip()
            if not question or len(chain.hops) == self.hops or key(question) in {key(h.question) for h in chain.hops}:
                return chain
            chain.hops.append(Hop(question, corpus.search(question, self.passages)))

    async def concluded(
        self, record: Record, teacher: Teacher, hops: Sequence[Hop], outcome: Outcome, dice: Random
    ) -> Outcome:
        """What the reader of all evidence answers."""
        findings = [{"question": h.question, "finding": h.finding} for h in dice.sample(hops, len(hops)) if h.finding]
        texts = {p.id: {"title": p.title, "text": p.text} for h in hops for p in h.passages}
        shuffled = dice.sample(sorted(texts), len(texts))
        prompt = load("meta_reasoning/conclude", record.language)
        shown = {"findings": compact(findings), "passages": compact([texts[i] for i in shuffled])}
        sent = prompt.fill(None, conversation=asked(record), **shown)
        how = (0.0, self.max_tokens, self.reasks)
        said, reply = await teacher.ask_json(sent, Concluded, record.language, *how)
        if said is None:
            return outcome.dropping("unparsed", f"answer: {reply.text[:200]}")
        if not said.known or not said.answer.strip():
            return outcome.dropping("unsupported", said.reasoning[:200])
        answer = unled(said.answer.strip(), record.language)
        if words := refers(answer, record.language):
            return outcome.dropping("not_self_contained", words)
        made = record.answering(answer, said.reasoning if self.keep_reasoning else "")
        made = taught(made, teacher, sent, (reply.prompt_tokens, reply.response_tokens))
        *before, last = made.lineage
        told = replace(last, detail=evidence(hops, shuffled, self.detail))
        return replace(outcome, out=(replace(made, lineage=(*before, told)),))

    def example(self, asked: Asked) -> Supposed:
        """For a plan: one small question or two, in words of the question itself, which the corpus then has."""
        if asked.shape != "followed":
            return None
        question, hops = asked.given["user"], len(json.loads(asked.given["trail"]))
        second = asked.chance.choice((" ".join(terms_of(question)[::-1]), ""))
        small = (question, second, "")[min(hops, 2)]
        return {"finding": asked.words(SENTENCE) if hops else "", "question": small}


def plain(hop: Hop) -> dict[str, Any]:
    """A hop as the next small question sees it."""
    texts = [{"title": p.title, "text": p.text} for p in hop.passages]
    return {"question": hop.question, "passages": texts} | ({"finding": hop.finding} if hop.finding else {})


def evidence(hops: Sequence[Hop], passages: Sequence[str], most: int) -> str:
    """What an answer stands on, as JSON of at most `most` characters: passages by id, small questions as they fit."""
    asked = [[h.question, [p.id for p in h.passages]] for h in hops]
    for kept in range(len(asked), -1, -1):
        text = compact({"passages": list(passages), "left_out": len(asked) - kept, "hops": asked[:kept]})
        if len(text) <= most:
            return text
    return ""
