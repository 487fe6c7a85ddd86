"""Shoot the arrow, then draw the target: a prompt is edited to what its answer does, and code checks the edit.

Document 002: rewriting an answer that breaks one of many constraints is dear, so the constraint is rewritten. Edited
is only what the prompt says in words that are known: the wordings of its constraints, and lengths in plain words.
"""

from __future__ import annotations

from dataclasses import dataclass

from tasks.constraint.bare import lengths
from tasks.constraint.kind import Constraint
from tasks.constraint.register import compatible, unmet
from tasks.constraint.wording import wordings


@dataclass(frozen=True, slots=True)
class Target:
    """A prompt and its constraints."""

    prompt: str
    constraints: tuple[Constraint, ...]

    def unmet(self, answer: str) -> list[str]:
        """The names of what an answer breaks, the lengths in plain words included."""
        broken = [*unmet(self.constraints, answer), *self.lengths_unmet(answer)]
        return list(dict.fromkeys(c.name for c in broken))

    def lengths_unmet(self, answer: str) -> list[Constraint]:
        """The lengths in plain words that an answer breaks, but for those that its constraints say already."""
        return [s.length for s in lengths(self.prompt) if not s.met(answer) and s.length not in self.constraints]

    def drawn(self, answer: str, language: str) -> Target | None:
        """The target that the answer hits, or None where no honest edit makes one."""
        prompt, kept = self.prompt, []
        for constraint in self.constraints:
            other = constraint.restated(answer)
            edited = prompt if other == constraint else other and reworded(prompt, constraint, other, language)
            if other is None or edited is None:
                return None
            prompt, kept = edited, [*kept, other]
        edited = restated_lengths(prompt, answer)
        found = edited and Target(edited, tuple(kept))
        return found if found and not found.unmet(answer) and compatible(found.constraints) else None


def reworded(prompt: str, old: Constraint, new: Constraint, language: str) -> str | None:
    """The prompt with the last wording of one constraint replaced by the like wording of another; None without one."""
    ways = wordings(new, language)
    said = ((prompt.rfind(w), i, w) for i, w in enumerate(wordings(old, language)))
    at, way, words = max(said, default=(-1, 0, ""))
    if at < 0:
        return None
    return prompt[:at] + ways[min(way, len(ways) - 1)] + prompt[at + len(words) :]


def restated_lengths(prompt: str, answer: str) -> str | None:
    """The prompt with each length in plain words as the answer has it; None where one cannot be restated."""
    for one in reversed(lengths(prompt)):
        other = one.restated(answer)
        if other is None:
            return None
        prompt = prompt if other == one else other.put(prompt)
    return prompt
