"""The live block under the lines of a run: the stages under way, redrawn in place, with what their teacher does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from flows.pace import Figures, asking, held_up, moved, paid

NAME = 8  # columns that the lines of finished stages keep for a name
BAR = 24
NARROW = 80  # columns below which there is no room for a bar


class Display:
    """Stages under way on a terminal. Lines that stay are printed above; `close` leaves the terminal whole."""

    def __init__(self, stream: TextIO) -> None:
        self.console = Console(file=stream, highlight=False)
        self.under_way: dict[str, Figures] = {}
        self.live: Live | None = None

    def show(self, stage: str, figures: Figures | None) -> None:
        """The stage's newest figures, or None where it has ended."""
        if figures:
            self.under_way[stage] = figures
            self.draw()
        elif self.under_way.pop(stage, None):
            self.draw() if self.under_way else self.close()

    def draw(self) -> None:
        if self.live is None:
            self.live = Live(console=self.console, auto_refresh=False, transient=True, redirect_stdout=False)
            self.live.start()
        self.live.update(block(self.under_way.values(), self.console.width), refresh=True)

    def say(self, text: str) -> None:
        self.console.print(Text(text), soft_wrap=True)

    def close(self) -> None:
        """Take the block away and give the cursor back."""
        live, self.live = self.live, None
        self.under_way.clear()
        if live:
            live.stop()


def block(stages: Iterable[Figures], width: int) -> RenderableType:
    """How far each stage is, with a bar where that fits into so many columns, and its details under it."""
    return Group(*(part for f in stages for part in (bar(f, width), *map(detail, details(f)))))


def bar(f: Figures, width: int) -> RenderableType:
    name, far = Text(f"{f.stage:<{NAME}}", "bold"), Text(f"{f.done} of {f.rows} rows, {moved(f)}")
    if width < NARROW:
        return Text(no_wrap=True, overflow="ellipsis").append_text(name).append(" ").append_text(far)
    row = Table.grid(padding=(0, 1, 0, 0))
    for columns in (NAME, BAR, None):
        row.add_column(width=columns, no_wrap=True)
    row.add_row(name, ProgressBar(max(f.rows, 1), f.done, width=BAR, complete_style="cyan"), far)
    return row


def details(f: Figures) -> list[Text]:
    if f.sight is None:
        return []
    said = [Text(asking(f.sight, f.calls), "cyan"), Text(paid(f.sight, f.forecast), "green")]
    return said + [Text(held, "bold red") for held in held_up(f.sight)]


def detail(text: Text) -> Text:
    """One line, under the bar."""
    line = Text(" " * (NAME + 1), no_wrap=True, overflow="ellipsis")
    return line.append_text(text)
