"""Decompose a prompt that is too much for one reply: first an outline, then each part on its own.

Document 002: nobody writes a novel in one go, nor should a model be asked to; such tasks are taken apart before they
are answered, as a prompt for the outline and prompts that expand it. So by default the prompt itself is not
published, but what it becomes: the request for the outline, and each part's request after the turns before it, each a
row of its own with its answer. That is what a student of moderate length can learn. `publish: whole` (or `both`)
keeps the prompt instead, with the parts put together as its answer, for students that are to write long texts;
document 001 calls for neither, so this is our addition.

The teacher says whether a prompt is too much (most are not, and go on as they are), words the requests, so that no
template is learned, and writes the parts in order, since each goes on from the last.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import ClassVar, Literal

from pydantic import BaseModel, PositiveInt

from tasks.chatter import without_chatter
from tasks.prompt import Filled, load
from tasks.record import ROBUST, Kind, Message, Record, licences
from tasks.setting import MaxTokens, Temperature
from tasks.step import USED, Outcome
from tasks.teacher.ask import Teacher, together
from tasks.teacher.endings import NoAnswer
from tasks.teacher.invented import Asked, Supposed
from tasks.transcript import asked

SPLIT, OUTLINE, PART = "decompose/split", "decompose/outline", "decompose/part"

LONG = re.compile(  # what a plan takes for too much
    r"\b(?:novels?|novella|books?|chapters?|thesis|dissertation|screenplay|handbook|manual|curriculum|courses?"
    r"|white ?paper|business plan|(?:full|complete|whole) (?:app|application|website|guide)"
    r"|\d{1,3},?\d{3}[- ]words?)\b"
    r"|小说|长篇|剧本|教程|课程|论文|手册|教材|白皮书|商业计划书|一本书|[一二三四五六七八九十\d]章|万字|千字|[1-9]\d{3,}\s*字",
    re.I,
)


class Split(BaseModel):
    """Whether a prompt is too much for one reply, and what to ask first."""

    reason: str
    too_much: bool
    outline_request: str


class Outline(BaseModel):
    """The outline as the user reads it, and what the user asks then, part by part."""

    outline: str
    requests: list[str]


@dataclass(frozen=True, slots=True)
class Decompose:
    """Rows for the steps of each prompt that is too much for one reply, or the prompt with its whole answer.

    Where the outline cannot be read, or has too few parts or too many, the prompt goes on as it is, to be answered in
    one go, and is counted as `badly_outlined`: a bad outline says nothing against what a user asked. Where a part gets
    no answer the prompt ends as `unfinished`, and the rows before that one stay.

    `publish`: a row for each of the parts, the whole answer, or both.
    `least_parts`, `most_parts`: how many parts an outline must and may have.
    """

    publish: Literal["parts", "whole", "both"] = "parts"
    least_parts: PositiveInt = 2
    most_parts: PositiveInt = 8
    temperature: Temperature = 0.7
    max_tokens: MaxTokens = 4096
    takes: ClassVar[Kind] = "prompts"
    gives: ClassVar[Kind] = "rows"
    role: ClassVar[str] = "teacher"
    calls: ClassVar[str] = "1 a prompt, and 1 + its parts where it is too much for one reply"
    prompts: ClassVar[tuple[str, ...]] = (SPLIT, OUTLINE, PART, "reask")
    shape: ClassVar[Literal["each"]] = "each"

    async def __call__(self, record: Record, teacher: Teacher, dice: Random) -> Outcome:
        if record.input or record.tools or ROBUST in record.tags:
            return Outcome.keeping(record)
        sent = load(SPLIT, record.language).fill(conversation=asked(record))
        split, _ = await teacher.ask_json(sent, Split, record.language)
        if split is None:
            return Outcome.keeping(record).noting("unreadable_reply")
        if not split.too_much or not split.outline_request.strip():
            return Outcome.keeping(record)
        return await self.taken_apart(record, split.outline_request.strip(), teacher)

    async def taken_apart(self, record: Record, request: str, teacher: Teacher) -> Outcome:
        """The outline, then the parts, one after the other."""
        so_far = (*record.ask[:-1], Message("user", request))
        values = {"goal": asked(record), "least": str(self.least_parts), "most": str(self.most_parts)}
        sent = load(OUTLINE, record.language).fill({"conversation": so_far}, **values)
        plan, _ = await teacher.ask_json(sent, Outline, record.language, self.temperature, self.max_tokens)
        if plan is None or not plan.outline.strip() or not all(r.strip() for r in plan.requests):
            return Outcome.keeping(record).noting("badly_outlined")
        if not self.least_parts <= len(plan.requests) <= self.most_parts:
            return Outcome.keeping(record).noting("badly_outlined")
        rows = [step(record, so_far, plan.outline.strip(), sent, teacher)]
        for text in plan.requests:
            so_far = (*so_far, Message("assistant", rows[-1].response), Message("user", text.strip()))
            sent = load(PART, record.language).fill({"conversation": so_far})
            (reply,) = await together([teacher.ask(sent, self.temperature, self.max_tokens)])
            if isinstance(reply, NoAnswer):
                return self.published(rows).dropping("unfinished", f"part {len(rows)}: {reply.reason}")
            text = without_chatter(reply.text, record.language) or reply.text.strip()
            rows.append(step(record, so_far, text, sent, teacher))
        return self.finished(record, rows, sent, teacher)

    def finished(self, record: Record, rows: Sequence[Record], sent: Filled, teacher: Teacher) -> Outcome:
        """The rows and the prompt's own fate: used up by them, or answered with all parts."""
        outcome = self.published(rows)
        if self.publish == "parts":
            return outcome.dropping(USED)
        whole = record.answering("\n\n".join(r.response for r in rows[1:]))
        known = replace(whole, teacher=teacher.model, licence=licences(whole.licence, teacher.licence))
        stamped = known.stamped(PART, sent.sha256, teacher.model, [r.prompt_id for r in rows])
        return replace(outcome, out=(stamped, *outcome.out))

    def published(self, rows: Sequence[Record]) -> Outcome:
        outcome = Outcome()
        for row in () if self.publish == "whole" else rows:
            outcome = outcome.making(row)
        return outcome

    def example(self, asked: Asked) -> Supposed:
        """For a plan: what names a long form or a great length is too much, and gets a middling number of parts."""
        if asked.shape == "split":
            words, much = asked.words(asked.length), bool(LONG.search(asked.given["conversation"]))
            return {"reason": words, "too_much": much, "outline_request": words if much else ""}
        return asked.reply((self.least_parts + self.most_parts) // 2)


def step(record: Record, turns: Sequence[Message], response: str, sent: Filled, teacher: Teacher) -> Record:
    """One step of the chain as a row: what was asked by then, and what was answered."""
    by = {"teacher": teacher.model, "licence": licences(record.licence, teacher.licence)}
    return record.derived(sent.name, turns, sent.sha256, teacher.model, **by).answering(response)
