"""What a run says on stderr while it runs: a line for each stage, and under it how far the one under way is."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from flows.commands.grid import printable

if TYPE_CHECKING:
    from flows.display import Display

PIPED = 10.0  # seconds that a stage goes on, and between two lines of progress, where nothing can be redrawn


class Stages(logging.StreamHandler[TextIO]):
    """Stage lines stay. On a terminal a block of progress is redrawn under them; elsewhere there are few lines of it,
    and no control codes."""

    def __init__(self, stream: TextIO, passing: str) -> None:
        super().__init__(stream)
        self.passing, self.last = passing, float("-inf")
        self.display = display(stream)
        self.addFilter(lambda record: record.name == passing or getattr(record, "flywheel", False))

    def format(self, record: logging.LogRecord) -> str:
        return printable(record.getMessage())

    def emit(self, record: logging.LogRecord) -> None:
        stage, figures = getattr(record, "stage", ""), getattr(record, "figures", None)
        if record.name != self.passing:
            self.display.say(self.format(record)) if self.display else super().emit(record)
        elif self.display:
            self.display.show(stage, figures)
        elif figures and figures.seconds >= PIPED and record.created - self.last >= PIPED:
            self.last = record.created
            super().emit(record)

    def clear(self) -> None:
        """Take away what does not outlive the run."""
        if self.display:
            self.display.close()


def display(stream: TextIO) -> Display | None:
    """A block on a terminal that can move its cursor; None elsewhere."""
    if not stream.isatty() or os.environ.get("TERM", "dumb") in ("dumb", "unknown"):
        return None
    from flows.display import Display

    return Display(stream)


@contextmanager
def shown(stream: TextIO) -> Iterator[None]:
    """Show the lines of the flow, and of what goes on in its tasks, for as long as the block takes."""
    from flows.progress import PASSING

    handler = Stages(stream, PASSING.name)
    loggers = (logging.getLogger("prefect.flow_runs"), logging.getLogger("prefect.task_runs"), PASSING)
    for logger in loggers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
        handler.clear()
