"""Why an evolved prompt is eliminated: the four cases of Evol-Instruct.

Xu et al., arXiv:2304.12244. `leaked`: words of the evolving prompt stand in it, or those with which a model hands over
its work ("Sure, here is one"). `unchanged`: the judge finds that it asks nothing that the prompt before it did not.
`apologised`: its answer holds an apology and is short. `unanswered`: its answer is only punctuation and stop words, or
there is none. And one of ours: `answered_instead`, where the judge finds that it is no request at all, since models
answer what they were to rewrite, or refuse.

Departures: a word that the user wrote is no sign of anything, so a prompt about prompts leaks nothing and the answer to
"write an apology" may hold one. Short is below 80 words, in Chinese below 130 characters, at 1.6 for a word. A verdict
that cannot be read is not guessed: `unjudged`. The answer is asked for exactly as `distill` asks by default, so that
the call store has it when the same teacher answers the prompt directly, and it costs nothing again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pydantic import BaseModel

from tasks.prompt import load
from tasks.record import Record
from tasks.step import Drop
from tasks.teacher.ask import Teacher
from tasks.teacher.endings import NoAnswer
from tasks.text import key, units
from tasks.tools import sendable
from tasks.transcript import asked

ANSWER_TOKENS = 4096  # what `distill` allows by default
GAIN, ANSWER = "evolution/gain", "answer/direct"
APOLOGY = re.compile(
    r"\bsorry\b|\bapolog(?:y|ies|i[sz]e[sd]?|i[sz]ing)\b|\bi(?:['’]m| am) afraid\b"
    r"|抱歉|对不起|不好意思|很遗憾|恕我|道歉|致歉|歉意"
)
STOP_WORDS = re.compile(  # not yes and no, nor single letters: these are answers
    r"\b(?:an|and|are|as|at|be|been|but|by|for|from|had|has|have|he|here|if|in|into|is|it|its|me|my|of|on|or|our|she|so|"
    r"than|that|the|their|them|then|there|these|they|this|those|to|us|was|we|were|will|with|would|you|your)\b"
    r"|这个|那个|这些|那些|我们|你们|他们|她们|它们|因为|所以|如果|那么|然后|以及|但是|而且|或者|还有"
    r"|[的了着和与及或而但在也都就还又把被让给向从吗呢吧啊呀哦嗯哎这那我你您他她它]"
)
HANDED_OVER = re.compile(  # how a model says that here is what it was asked for, in the folded text
    r"(?:sure|certainly|of course|absolutely)\b[^:]{0,60}:"
    r"|here(?:['’]s| is) (?:one:|(?:an?|the|your) (?:new|harder|easier|revised|modified|updated|evolved) "
    r"(?:request|prompt|question|task|problem|version)\b[^:]{0,40}:)"
    r"|(?:好的|没问题|当然|可以)[^:]{0,12}(?:如下|以下|下面|这是|改好|给您|为您|帮您)[^:]{0,20}:"
)
MARK = re.compile(r"</?[a-z_]+ [0-9a-f]{8}>")  # as the turns are sent
CONTENT = re.compile(r"[^\W_]|[√∞±×÷=<>+→\U0001f300-\U0001faff]")


class Gain(BaseModel):
    """Whether the second of two prompts is one, and asks for something that the first does not."""

    reason: str
    is_request: bool
    adds: bool


@dataclass(frozen=True, slots=True)
class Check:
    """How a prompt is answered to see whether it can be, and below which length an apology is one."""

    temperature: float = 0.7
    short_words: int = 80
    short_characters: int = 130

    async def __call__(self, candidate: Record, teacher: Teacher) -> Drop | None:
        """Why the candidate is dropped, seen from its answer. An answer too long for the limit is one."""
        system = tuple(m for m in candidate.ask if m.role == "system")
        rest = tuple(m for m in candidate.ask if m.role != "system")
        sent = load(ANSWER, candidate.language).fill({"system": system, "examples": (), "conversation": rest})
        try:
            reply = await replace(teacher, stage="answer").ask(
                sent, self.temperature, ANSWER_TOKENS, tools=sendable(candidate.tools)
            )
        except NoAnswer as none:
            return None if none.reason == "truncated" else Drop("unanswered", none.reason)
        return None if reply.tool_calls else self.fault(candidate, reply.text)

    def fault(self, candidate: Record, answer: str) -> Drop | None:
        limit = self.short_characters if candidate.language == "zh" else self.short_words
        if says_nothing(answer):
            return Drop("unanswered", answer[:200])
        return Drop("apologised", answer[:200]) if apologises(candidate.instruction, answer, limit) else None


async def compared(parent: Record, candidate: Record, judge: Teacher, reasks: int) -> Drop | None:
    """Why the candidate is dropped, seen beside the prompt that it was made of. Raises NoAnswer of the judge."""
    if key(parent.instruction) == key(candidate.instruction):
        return Drop("unchanged", "word for word")
    sent = load(GAIN, candidate.language).fill(before=asked(parent), after=asked(candidate))
    read, reply = await judge.ask_json(sent, Gain, candidate.language, reasks=reasks)
    if read is None:
        return Drop("unjudged", reply.text[:200])
    if not read.is_request:
        return Drop("answered_instead", read.reason)
    return None if read.adds else Drop("unchanged", read.reason)


def leaked(before: str, after: str, vocabulary: Iterable[str]) -> str:
    """The first of the evolving prompt's own words or marks that came into the evolved one, or the words that hand it
    over; empty where there are none."""
    old, new = key(before), key(after)
    opening = HANDED_OVER.match(new)
    words = (*MARK.findall(new), *([opening[0]] if opening else []), *map(key, vocabulary))
    return next((word for word in words if word and word in new and word not in old), "")


def apologises(prompt: str, answer: str, limit: int) -> bool:
    """Whether an answer of fewer than `limit` words, or characters of Chinese, holds an apology unasked for."""
    return units(answer) < limit and bool(APOLOGY.search(key(answer))) and not APOLOGY.search(key(prompt))


def says_nothing(answer: str) -> bool:
    """Whether an answer is only punctuation and stop words. A figure says something, and so does 是."""
    return not CONTENT.search(STOP_WORDS.sub(" ", key(answer)))
