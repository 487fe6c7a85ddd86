"""Whose records a link takes, where its `only` says `after`: the names of the recipe, as lineages have them.

A misspelt name would take nothing, and nobody would be told: it is refused before anything is asked.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from tasks.link import LOGS, Linked
from tasks.recipe import RecipeError


def placed(links: Sequence[Linked], before: Iterable[Linked] = (), others: Iterable[str] = ()) -> list[Linked]:
    """The links of a chain, with what their `only` is `after` as lineages have it; `before` are links that come before
    all of them, `others` are names that no link bears. Raises RecipeError for a name that nothing before a link has."""
    there, done = [*before], list[Linked]()
    for link in links:
        known = makers(there) | {name: (name,) for name in (LOGS, *others)}
        after = [stamp for maker in link.only.after for stamp in found(maker, known, there, link)]
        done.append(replace(link, only=replace(link.only, after=tuple(dict.fromkeys(after)))))
        there.append(link)
    return done


def makers(links: Iterable[Linked]) -> dict[str, tuple[str, ...]]:
    """Each name that a recipe may give to whoever made a record, with what stands for it in lineages."""
    known: dict[str, tuple[str, ...]] = {}
    for link in links:
        known |= {one: (one,) for one in stamps(link) if one not in known}
        known[link.called] = tuple(dict.fromkeys((*known.get(link.called, ()), *stamps(link))))
    return known


def stamps(link: Linked) -> tuple[str, ...]:
    """The names that a technique writes into lineages: those that it declares as `stamps`, else its own, of a class as
    a module would have it too (ForChildren, for_children)."""
    declared = tuple(getattr(link.step, "stamps", ()))
    return declared or tuple(dict.fromkeys((link.called, re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", link.called).lower())))


def sure(link: Linked) -> bool:
    """Whether its stamps are known: a team's own technique that declares none may write what it likes."""
    return type(link.step).__module__.startswith("tasks.") or hasattr(link.step, "stamps")


def found(maker: str, known: dict[str, tuple[str, ...]], there: Sequence[Linked], link: Linked) -> tuple[str, ...]:
    """What stands for a maker in lineages. Raises RecipeError for one that nothing before the link can be."""
    near = difflib.get_close_matches(maker, known, 1)
    if maker in known:
        return known[maker]
    if not near and not all(map(sure, there)):
        return (maker,)
    hint = f"did you mean {near[0]}" if near else f"there are {', '.join(known)}"
    what = f"{link.called} takes what {maker} made, and nothing before it has that name"
    raise RecipeError(what, f"{link.place}.only.after", hint)
