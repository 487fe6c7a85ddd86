"""Which prompts are worth a teacher's answer: named rules, the first that objects gives the reason.

`READY` names ours; a team adds its own by path (`own.py`). The language that the rules decide by is kept on the
record.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

import pyarrow as pa

from tasks.mine.ask import Ask, Rule, ask_of
from tasks.mine.chat import Greeting, SmallTalk
from tasks.mine.form import Language, Length, NotText, NoWords
from tasks.mine.gibberish import Gibberish
from tasks.mine.relevance import Relevance
from tasks.plugin import Door, load
from tasks.recipe import Mine, RecipeError
from tasks.step import MERGED, Drop, Sieved

FIELD = "mine.rules"
WRITE = "a frozen dataclass with `def __call__(self, ask)` that gives None or a reason"
DOOR = Door(FIELD, "mine.settings", "rule", WRITE, "an ask and nothing else", 1)
REASON = re.compile(r"[a-z][a-z0-9_]{0,39}")
READY: dict[str, Callable[[Mine], Rule]] = {
    "not_text": lambda mine: NotText(),
    "no_words": lambda mine: NoWords(),
    "greeting": lambda mine: Greeting(),
    "small_talk": lambda mine: SmallTalk(),
    "gibberish": lambda mine: Gibberish(),
    "length": lambda mine: Length(mine.min_units, mine.max_units),
    "language": lambda mine: Language(tuple(mine.languages)),
    "relevance": lambda mine: Relevance(tuple(mine.relevance.include), tuple(mine.relevance.exclude)),
}


@dataclass(frozen=True, slots=True)
class Worth:
    """Drop what is not worth asking; `otherwise` is the language of a row that holds no letter."""

    rules: tuple[Rule, ...]
    otherwise: str = "en"
    shape: ClassVar[Literal["table"]] = "table"

    @property
    def reads(self) -> tuple[str, ...]:
        """The data files of all rules, for the cache key."""
        return tuple(sorted({file for rule in self.rules for file in getattr(rule, "reads", ())}))

    @property
    def modules(self) -> tuple[str, ...]:
        """Where the rules' sources are, for the cache key."""
        return tuple(type(rule).__module__ for rule in self.rules)

    def __call__(self, table: pa.Table) -> Sieved:
        both = zip(table.column("messages").to_pylist(), table.column("tags").to_pylist(), strict=True)
        asks = [ask_of(messages, tags, self.otherwise) for messages, tags in both]
        found = [next((drop for rule in self.rules if (drop := verdict(rule, ask))), None) for ask in asks]
        named = table.set_column(
            table.schema.get_field_index("language"), "language", pa.array([a.language for a in asks], pa.string())
        )
        reason = pa.array([drop and drop.reason for drop in found], pa.string())
        return Sieved(named, reason, pa.array([drop and drop.detail for drop in found], pa.string()))


def verdict(rule: Rule, ask: Ask) -> Drop | None:
    """What a rule says, as a drop. Raises RecipeError where that is neither a reason nor a Drop nor None."""
    said = rule(ask)
    if said is None:
        return None
    drop = Drop(said) if isinstance(said, str) else said
    if isinstance(drop, Drop) and REASON.fullmatch(drop.reason) and drop.reason != MERGED:
        return drop
    what = f"the reason {drop.reason[:60]!r}" if isinstance(drop, Drop) else f"a {type(said).__name__}"
    hint = "give None to keep a row, a reason in lower case such as 'too_boring', or a Drop with one"
    raise RecipeError(f"the rule {type(rule).__name__} gave {what}", FIELD, hint)


def chosen(mine: Mine) -> Worth:
    """The rules that a recipe lists, in its order. Raises RecipeError."""
    if strange := sorted(mine.settings.keys() - {name for name in mine.rules if ":" in name}):
        hint = f"settings are for a team's own rules, which {FIELD} lists as path.py:Class"
        raise RecipeError(f"mine.settings names {strange[0]}, which is no such rule", "mine.settings", hint)
    return Worth(tuple(rule_named(name, mine) for name in mine.rules), mine.languages[0])


def rule_named(name: str, mine: Mine) -> Rule:
    if ":" in name:
        return load(name, mine.settings.get(name, {}), DOOR)
    if name in READY:
        return READY[name](mine)
    near = difflib.get_close_matches(name, READY, 1)
    hint = f"did you mean {near[0]}" if near else f"there are {', '.join(READY)}, and a team's own as path.py:Class"
    raise RecipeError(f"there is no rule {name}", FIELD, hint)
