"""What a rule sees of a row that somebody asked."""

from __future__ import annotations

from tasks.mine.ask import Ask, ask_of
from tests.rows import ask


def seen(text: str, before: tuple[str, ...] = (), tags: tuple[str, ...] = ()) -> Ask:
    return ask_of(ask(text, before=before).row()["messages"], tags, "en")
