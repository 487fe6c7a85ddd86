"""Translate prompts into the other language: an English set into Chinese, or a Chinese one into English.

Document 002 recalls that early Chinese sets were the prompts of English ones, translated and answered anew; so
answers are left behind. Every turn of a conversation is translated, each with the turns before it in sight. A
translation survives where it is in the other language, has the numbers, code, addresses and placeholders of the
original, and a judge finds the same task in it: one on English spelling, say, is none any more in Chinese.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import ClassVar, Literal

from tasks.produce.rewording import JUDGE, OTHER, SAME_TASK, Reworded, fault, rewordable, sifted, supposed, unread
from tasks.prompt import load
from tasks.record import Kind, Message, Record
from tasks.setting import MaxTokens, Temperature
from tasks.step import USED, Drop, Outcome
from tasks.teacher.ask import Teacher, together
from tasks.teacher.invented import Asked, Supposed
from tasks.transcript import transcript

TRANSLATE = "translated/translate"


@dataclass(frozen=True, slots=True)
class Translated:
    """Each prompt of `languages` and its translation, or the translation in its place.

    `languages`: what is translated, into the other of the two; prompts of no such language go on as they are.
    `keep`: keep the prompt beside its translation.
    """

    languages: tuple[Literal["en", "zh"], ...] = ("en",)
    keep: bool = True
    temperature: Temperature = 0.3
    max_tokens: MaxTokens = 4096
    takes: ClassVar[Kind] = "prompts"
    gives: ClassVar[Kind] = "prompts"
    role: ClassVar[str] = "teacher"
    asks: ClassVar[tuple[str, ...]] = (JUDGE,)
    calls: ClassVar[str] = "1 a turn, and 1 a prompt"
    prompts: ClassVar[tuple[str, ...]] = (TRANSLATE, SAME_TASK, "reask")
    shape: ClassVar[Literal["each"]] = "each"

    async def __call__(self, record: Record, teacher: Teacher, dice: Random) -> Outcome:
        if record.language not in self.languages or record.language not in OTHER:
            return Outcome.keeping(record)
        if not rewordable(record) or record.tools:
            return Outcome.keeping(record).noting("not_rewordable")
        turns = [*record.ask, *[Message("input", record.input)] * bool(record.input)]
        replies = await together(self.turn(turns[:i], turns[i], record.language, teacher) for i in range(len(turns)))
        said = [r.text.strip() for r in replies if isinstance(r, Reworded)]
        if len(said) < len(turns):
            return replace(Outcome.keeping(record), noted=unread(replies))
        made = self.made(record, said, teacher.model)
        outcome = await sifted(record, [made], teacher.named(JUDGE), lambda c: wrong(record, c))
        if self.keep or len(outcome.out) == 1:
            return outcome
        return replace(outcome, out=outcome.out[1:]).dropping(USED)

    async def turn(self, before: Sequence[Message], said: Message, language: str, teacher: Teacher) -> Reworded | None:
        if not said.content.strip():
            return Reworded(text="")
        sent = load(TRANSLATE, language).fill(earlier=transcript(before), request=said.content)
        read, _ = await teacher.ask_json(sent, Reworded, language, self.temperature, self.max_tokens)
        return read

    def made(self, record: Record, said: Sequence[str], model: str) -> Record:
        messages = [Message(m.role, text) for m, text in zip(record.ask, said, strict=False)]
        known = {"language": OTHER[record.language], "input": said[-1] if record.input else ""}
        return record.derived(TRANSLATE, messages, load(TRANSLATE, record.language).sha256, model, **known)

    def example(self, asked: Asked) -> Supposed:
        """For a plan: a turn in the other language."""
        return supposed(asked, OTHER[asked.language])


def wrong(before: Record, after: Record) -> Drop | None:
    """What code can see is wrong with a translation; quoted text may be translated."""
    whole = ["\n".join([*(m.content for m in r.ask), r.input]) for r in (before, after)]
    found = fault(whole[0], whole[1], after.language, quotes=False)
    return Drop(*found) if found else None
