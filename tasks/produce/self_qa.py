"""Self-QA: questions from the team's own texts, answered while reading it, and kept where it bears them out.

Zhang & Yang, arXiv:2305.11952. A model reads a passage and writes questions that can be understood without it; then it
answers each with the passage before it; what refers to the passage, or says what does not stand in it, is dropped. Two
departures: the questions come as one JSON list, and a question that the passage does not answer may be given back,
where the paper's model always answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, Field

from tasks.alone import refers, unled
from tasks.produce.grounded import ungrounded
from tasks.prompt import load
from tasks.record import Kind, Message, Record
from tasks.setting import MaxTokens, Reasks, Temperature
from tasks.step import USED, Outcome
from tasks.teacher.ask import Teacher, together
from tasks.teacher.endings import NoAnswer
from tasks.teacher.invented import Asked, Supposed
from tasks.teacher.outcomes import Reply
from tasks.teacher.taught import taught
from tasks.text import key


class Questions(BaseModel):
    """What can be asked about a passage."""

    questions: list[str]


@dataclass(frozen=True, slots=True)
class SelfQA:
    """Rows from each passage; the passage ends as used.

    `questions`: the most questions of a passage.
    `grounded`: drop answers with names or numbers that the passage does not have.
    `question_temperature`: how freely questions are drawn; 0: the likeliest words.
    `answer_temperature`: how freely answers are drawn; 0: the likeliest words.
    """

    questions: Annotated[int, Field(ge=1)] = 10
    grounded: bool = True
    question_temperature: Temperature = 1.0
    answer_temperature: Temperature = 0.0
    max_tokens: MaxTokens = 2048
    reasks: Reasks = 1
    takes: ClassVar[Kind] = "passages"
    gives: ClassVar[Kind] = "rows"
    role: ClassVar[str] = "teacher"
    calls: ClassVar[str] = "1 + questions a passage"
    prompts: ClassVar[tuple[str, ...]] = ("self_qa/questions", "self_qa/answer", "reask")
    shape: ClassVar[Literal["each"]] = "each"

    async def __call__(self, record: Record, teacher: Teacher, dice: Random) -> Outcome:
        prompt = load("self_qa/questions", record.language)
        sent = prompt.fill(passage=record.passage, count=str(self.questions))
        read, reply = await teacher.ask_json(
            sent, Questions, record.language, self.question_temperature, self.max_tokens, self.reasks
        )
        if read is None:
            return Outcome().dropping("unparsed", f"questions: {reply.text[:200]}")
        outcome, fresh = Outcome().dropping(USED), list[Record]()
        for text in distinct(read.questions)[: self.questions]:
            asked = record.derived("self_qa/questions", (Message("user", text),), sent.sha256, teacher.model)
            if words := refers(text, record.language):
                outcome = outcome.eliminating(asked, "not_self_contained", words)
            else:
                fresh.append(asked)
        for _ in range(len(read.questions) - len(distinct(read.questions))):
            outcome = outcome.noting("repeated_question")
        for asked, said in zip(fresh, await together(self.answer(one, teacher) for one in fresh), strict=True):
            outcome = self.answered(outcome, asked, said, teacher)
        return outcome

    async def answer(self, asked: Record, teacher: Teacher) -> Reply:
        sent = load("self_qa/answer", asked.language).fill(passage=asked.passage, question=asked.instruction)
        return await teacher.ask(sent, self.answer_temperature, self.max_tokens)

    def answered(self, outcome: Outcome, asked: Record, said: Reply | NoAnswer, teacher: Teacher) -> Outcome:
        """The question with its answer as a row, or eliminated for what is wrong with the answer."""
        if isinstance(said, NoAnswer):
            return outcome.eliminating(asked, said.reason, said.detail)
        prompt, text = load("self_qa/answer", asked.language), unled(said.text.strip(), asked.language)
        if prompt.words["unknown"] in text:
            return outcome.eliminating(asked, "unanswered", text[:200])
        if words := refers(text, asked.language):
            return outcome.eliminating(asked, "not_self_contained", words)
        source = f"{asked.passage}\n{asked.instruction}"
        if self.grounded and (added := ungrounded(text, source, asked.language)):
            return outcome.eliminating(asked, "ungrounded", added)
        sent = prompt.fill(passage=asked.passage, question=asked.instruction)
        row = taught(asked.answering(text), teacher, sent, (said.prompt_tokens, said.response_tokens))
        return outcome.making(row)

    def example(self, asked: Asked) -> Supposed:
        """For a plan: some of the questions that may be asked."""
        return asked.reply(asked.up_to(self.questions))


def distinct(texts: list[str]) -> list[str]:
    """Texts that say something, each once."""
    return list({key(text): text.strip() for text in reversed(texts) if text.strip()}.values())[::-1]
