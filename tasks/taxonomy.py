"""The taxonomy: two levels of task types and the domains, in both languages, from a data file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from tasks.recipe import RecipeError, located

HINT = "expected task_types with subtypes, and domains, each with en and zh, as in data/taxonomy.yaml"


@dataclass(frozen=True, slots=True)
class Kind:
    """One name with what it means to a reader of either language."""

    name: str
    en: str
    zh: str

    def line(self, language: str) -> str:
        return f"- {self.name}: {self.zh if language == 'zh' else self.en}"


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """`types` are named `type/subtype`."""

    types: tuple[Kind, ...]
    domains: tuple[Kind, ...]

    @classmethod
    def read(cls, path: str) -> Taxonomy:
        """Raises RecipeError where the file is not a taxonomy."""
        try:
            return parsed(path, located(path).read_text())
        except (OSError, UnicodeDecodeError) as fault:
            raise RecipeError(f"{path} is not a taxonomy: {fault!r}", "label.taxonomy", HINT) from None

    @classmethod
    def parsed(cls, path: str, text: str) -> Taxonomy:
        """From the text of the file."""
        try:
            plain: dict[str, Any] = yaml.safe_load(text)
            types = tuple(
                Kind(f"{one}/{two}", f"{first['en']}: {second['en']}", f"{first['zh']}：{second['zh']}")
                for one, first in plain["task_types"].items()
                for two, second in first["subtypes"].items()
                if whole(f"{one}/{two}", second)
            )
            made = cls(types, tuple(Kind(str(n), d["en"], d["zh"]) for n, d in plain["domains"].items() if whole(n, d)))
            made.check()
            return made
        except (yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError) as fault:
            raise RecipeError(f"{path} is not a taxonomy: {fault!r}", "label.taxonomy", HINT) from None

    def __hash__(self) -> int:
        """Of its sizes: the hash of a hundred kinds, for every record, would cost as much as the label."""
        return hash((len(self.types), len(self.domains)))

    def check(self) -> None:
        """Raises ValueError where a label could not be told by its name, or there is none to choose."""
        if not self.types or not self.domains:
            raise ValueError("there are no " + ("domains" if self.types else "task types"))
        for kind in (*self.types, *self.domains):
            if kind.name.count("/") != (kind in self.types):
                raise ValueError(f"{kind.name}: a name of a type, subtype or domain holds no slash")
            if not isinstance(kind.en, str) or not isinstance(kind.zh, str):
                raise ValueError(f"{kind.name}: en and zh are texts")

    @cache  # noqa: B019  a run reads one or two, and each asks again for every record
    def listed(self, language: str) -> tuple[str, str]:
        """The types and the domains, a line for each."""
        types, domains = ("\n".join(k.line(language) for k in kinds) for kinds in (self.types, self.domains))
        return types, domains

    @property
    def first_level(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(k.name.partition("/")[0] for k in self.types))

    def means(self, task_type: str, language: str) -> str:
        """What a task type is called in a language; its bare name where this taxonomy does not have it."""
        found = next((k for k in self.types if k.name.partition("/")[0] == task_type), None)
        if not found:
            return task_type
        return found.zh.partition("：")[0] if language == "zh" else found.en.partition(": ")[0]


def whole(name: object, texts: dict[str, Any]) -> bool:
    """True. Raises ValueError where a name has more than its two texts, as when a comma without quotes cut one."""
    if strange := next((key for key in texts if key not in ("en", "zh")), None):
        raise ValueError(f"{name}: {strange!r} is neither en nor zh; a text with a comma in it stands in quotes")
    return True


@cache
def parsed(path: str, text: str) -> Taxonomy:
    """One object for one text: what is made of a taxonomy is kept by it, and looked up for every record."""
    return Taxonomy.parsed(path, text)
