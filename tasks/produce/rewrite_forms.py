"""Rewrite a prompt in several voices: the same task as a teacher, a traveller or a busy person would put it.

Document 002 asks for this: where all translation prompts begin with "translate the sentence A", the model learns a
few tokens instead of the task. Who asks is drawn from `voices`, a bilingual data file that a team can replace. A
rewriting survives where code finds language, numbers, quoted text and code as they were and enough of its words new,
and a judge finds the same task in it. How new the words are is noted in bands, so that a voice file that makes no
difference shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from random import Random
from typing import Annotated, ClassVar, Literal

import yaml
from pydantic import Field, PositiveInt

from tasks.produce.rewording import JUDGE, SAME_TASK, Reworded, earlier, renewed, rewordable, spoken, supposed, unread
from tasks.prompt import LANGUAGES, load
from tasks.recipe import RecipeError, located
from tasks.record import Kind, Record
from tasks.setting import MaxTokens, Temperature
from tasks.step import Outcome
from tasks.teacher.ask import Teacher, together
from tasks.teacher.invented import Asked, Supposed

REWRITE = "rewrite_forms/rewrite"


@dataclass(frozen=True, slots=True)
class RewriteForms:
    """Each prompt and, beside it, rewritings of it, each in a voice of its own.

    `per_record`: the most rewritings of a prompt; no more than there are voices.
    `voices`: a file of who asks and how, each voice with a line in English and one in Chinese.
    `least_new`: share of neighbouring word pairs (characters of Chinese) that a rewriting must have of its own.
    """

    per_record: PositiveInt = 3
    voices: str = "data/voices.yaml"
    least_new: Annotated[float, Field(ge=0, le=1)] = 0.3
    temperature: Temperature = 1.0
    max_tokens: MaxTokens = 2048
    takes: ClassVar[Kind] = "prompts"
    gives: ClassVar[Kind] = "prompts"
    role: ClassVar[str] = "teacher"
    asks: ClassVar[tuple[str, ...]] = (JUDGE,)
    calls: ClassVar[str] = "2 x per_record a prompt"
    prompts: ClassVar[tuple[str, ...]] = (REWRITE, SAME_TASK, "reask")
    shape: ClassVar[Literal["each"]] = "each"

    @property
    def reads(self) -> tuple[str, ...]:
        return (self.voices,)

    async def __call__(self, record: Record, teacher: Teacher, dice: Random) -> Outcome:
        if not rewordable(record):
            return Outcome.keeping(record).noting("not_rewordable")
        known = read_voices(self.voices)
        drawn = dice.sample(sorted(known), min(self.per_record, len(known)))
        replies = await together(self.rewritten(record, known[voice], teacher) for voice in drawn)
        sha = load(REWRITE, record.language).sha256
        texts = {
            said.text.strip(): voice for voice, said in zip(drawn, replies, strict=True) if isinstance(said, Reworded)
        }
        candidates = [
            record.derived(REWRITE, record.asking(text), sha, teacher.model, voice, input=record.input)
            for text, voice in texts.items()
        ]
        outcome = await renewed(record, candidates, teacher.named(JUDGE), self.least_new)
        return replace(outcome, noted=(*unread(replies), *outcome.noted))

    async def rewritten(self, record: Record, voice: Mapping[str, str], teacher: Teacher) -> Reworded | None:
        prompt = load(REWRITE, record.language)
        said = voice["zh" if record.language == "zh" else "en"]
        sent = prompt.fill(voice=said, earlier=earlier(record), request=record.instruction)
        read, _ = await teacher.ask_json(sent, Reworded, record.language, self.temperature, self.max_tokens)
        return read

    def example(self, asked: Asked) -> Supposed:
        """For a plan: the request in other words."""
        return supposed(asked, spoken(asked.given.get("request", "")))


@cache
def read_voices(path: str) -> dict[str, dict[str, str]]:
    """Who asks, by name and language. Raises RecipeError where the file cannot be read."""
    try:
        voices = yaml.safe_load(located(path).read_text("utf-8"))
        if voices and all(isinstance(v[lang], str) and v[lang].strip() for v in voices.values() for lang in LANGUAGES):
            return voices
        fault = "it names no voice"
    except (OSError, UnicodeDecodeError, yaml.YAMLError, AttributeError, KeyError, TypeError) as found:
        fault = f"{type(found).__name__}: {found}".replace("\n", " ")
    hint = "each voice is a name with a line in en and one in zh, as in data/voices.yaml"
    raise RecipeError(f"{path} is no file of voices: {fault}", "produce.rewrite_forms.voices", hint)
