"""Instruction backtranslation (Humpback): unlabelled texts as answers, for which a backward model writes the prompts.

Li et al., arXiv:2308.06259. A backward model, trained on (response -> prompt) pairs (`reversed_pairs` makes them),
guesses what each text would be the answer to; the model then curates its own pairs on a scale of 1 to 5, and only the
best stay (5; the looser set of the paper: 4). Curation goes two rounds. Departures: in the paper the second round's
judge is the model fine-tuned on the first round's best; here it is the same model, shown some of these best as
examples, so that one run needs no training in between; and no sentence is added to the prompts that would tell web
texts from others.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from random import Random
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, Field

from tasks.chatter import unwrapped
from tasks.prompt import Filled, load
from tasks.record import Kind, Message, Record, Score
from tasks.setting import MaxTokens, Reasks, Temperature
from tasks.step import Outcome
from tasks.teacher.ask import Teacher, together
from tasks.teacher.endings import NoAnswer
from tasks.teacher.invented import Asked, Supposed
from tasks.transcript import transcript

WRITTEN = "human text"  # in the place of a row's teacher: no model wrote its answer
SCORE = "curation"
BEST = 5


class Curated(BaseModel):
    """How good a pair is as an example of what an assistant should answer."""

    reason: str
    score: int = Field(ge=1, le=5)


Verdict = Record | str  # the pair with its score, or why there is none


@dataclass(frozen=True, slots=True)
class Backtranslation:
    """A row of each passage whose pair is curated well enough in the last round.

    Rows keep the licence of their text, and `human text` stands in the place of a teacher.

    `backward`: the endpoint (teacher, judge, a tier) that writes the prompts.
    `curator`: the endpoint that judges the pairs.
    `keep`: the least score of a pair that stays; 5 is the best.
    `rounds`: how often pairs are judged; the second time beside some of the best.
    `examples`: best pairs that the curator is shown in the second round.
    """

    backward: str = "teacher"
    curator: str = "teacher"
    keep: Annotated[int, Field(ge=1, le=5)] = 5
    rounds: Annotated[int, Field(ge=1, le=2)] = 2
    examples: Annotated[int, Field(ge=1)] = 3
    temperature: Temperature = 0.7
    max_tokens: MaxTokens = 1024
    reasks: Reasks = 1
    takes: ClassVar[Kind] = "passages"
    gives: ClassVar[Kind] = "rows"
    role: ClassVar[str] = "teacher"
    target: ClassVar[None] = None
    calls: ClassVar[str] = "1 + rounds a passage"
    prompts: ClassVar[tuple[str, ...]] = (
        "backtranslation/prompt",
        "backtranslation/curate",
        "backtranslation/curate_again",
        "reask",
    )
    shape: ClassVar[Literal["grow"]] = "grow"

    @property
    def asks(self) -> tuple[str, ...]:
        return (self.backward, self.curator)

    async def __call__(self, pool: list[Record], teacher: Teacher, dice: Random) -> AsyncIterator[Outcome]:
        passages = list(pool)
        pairs: list[Record] = []
        written = await together(self.write(one, teacher.named(self.backward)) for one in passages)
        for passage, pair in zip(passages, written, strict=True):
            if isinstance(pair, Record):
                pairs.append(pair)
                yield Outcome().ending(passage)
            else:
                yield Outcome().ending(passage, *((pair.reason, pair.detail) if pair else ("no_prompt", "")))
        judge = teacher.named(self.curator)
        verdicts = [told(v) for v in await together(self.curate(pair, (), judge) for pair in pairs)]
        if self.rounds > 1:
            verdicts = await self.again(pairs, verdicts, judge, dice)
        for pair, verdict in zip(pairs, verdicts, strict=True):
            yield self.settled(pair, verdict)

    async def write(self, passage: Record, backward: Teacher) -> Record | None:
        """The passage as the answer to a prompt; None where the model wrote none."""
        sent = backward_prompt(passage.passage, passage.language)
        reply = await replace(backward, record=passage.prompt_id).ask(sent, self.temperature, self.max_tokens)
        if not (text := unwrapped(reply.text, passage.language)):
            return None
        said, known = (Message("user", text),), {"passage": "", "teacher": WRITTEN}
        return passage.derived(sent.name, said, sent.sha256, backward.model, **known).answering(passage.passage)

    async def curate(self, pair: Record, shown: tuple[Record, ...], judge: Teacher) -> Verdict:
        sent = curating(pair, shown)
        read, reply = await replace(judge, record=pair.prompt_id).ask_json(
            sent, Curated, pair.language, max_tokens=self.max_tokens, reasks=self.reasks
        )
        if read is None:
            return f"unscored: {reply.text[:200]}"
        scored = replace(pair, scores=(Score(SCORE, read.score, read.reason),))
        return scored.stamped(sent.name, sent.sha256, judge.model)

    async def again(self, pairs: list[Record], first: list[Verdict], judge: Teacher, dice: Random) -> list[Verdict]:
        """Each pair judged once more, beside some of the best of its language; where there are none, as it was."""
        best = [one for one in first if isinstance(one, Record) and one.score(SCORE) == BEST]
        verdicts, shown = list(first), dict[int, tuple[Record, ...]]()
        for i, pair in enumerate(pairs):
            others = [one for one in best if one.language == pair.language and one.roots != pair.roots]
            if others:
                shown[i] = tuple(dice.sample(others, min(self.examples, len(others))))
        second = await together(self.curate(pairs[i], examples, judge) for i, examples in shown.items())
        for i, verdict in zip(shown, second, strict=True):
            verdicts[i] = told(verdict)
        return verdicts

    def settled(self, pair: Record, verdict: Verdict) -> Outcome:
        if isinstance(verdict, str):
            reason, _, detail = verdict.partition(": ")
            return Outcome().eliminating(pair, reason, detail)
        score = verdict.scores[0]
        if score.value < self.keep:
            return Outcome().eliminating(verdict, "low_score", f"{score.value:g}, expected {self.keep}: {score.reason}")
        return Outcome().making(verdict)

    def example(self, asked: Asked) -> Supposed:
        """For a plan: half of the pairs are of the best, as no curator finds all of them."""
        score = asked.chance.choice((BEST - 1, BEST))
        return {"reason": asked.words(asked.length), "score": score} if asked.shape == "curated" else None


def backward_prompt(answer: str, language: str) -> Filled:
    """What a backward model is asked, and what `reversed_pairs` trains one on."""
    return load("backtranslation/prompt", language).fill(answer=answer)


def curating(pair: Record, shown: tuple[Record, ...]) -> Filled:
    """The pair as it is judged, below pairs that were judged best."""
    if not shown:
        return load("backtranslation/curate", pair.language).fill(prompt=pair.instruction, answer=pair.response)
    examples = "\n\n".join(transcript(one.messages) for one in shown)
    again = load("backtranslation/curate_again", pair.language)
    return again.fill(examples=examples, prompt=pair.instruction, answer=pair.response)


def told(verdict: Verdict | NoAnswer) -> Verdict:
    """A verdict, or why there is none as `reason: detail`."""
    return f"{verdict.reason}: {verdict.detail}" if isinstance(verdict, NoAnswer) else verdict
