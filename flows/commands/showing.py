"""What a run says on stderr while it runs: a line for each stage, and over it how far the one under way is."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

PIPED = 10.0  # seconds between two lines of progress where nobody can write over the last
OVER = "\r\x1b[K"  # to the line's beginning, and clear it


class Stages(logging.StreamHandler[TextIO]):
    """Stage lines stay. On a terminal a line of progress is written over; elsewhere there are few of them."""

    def __init__(self, stream: TextIO, passing: str) -> None:
        super().__init__(stream)
        self.passing, self.tty, self.last, self.open = passing, stream.isatty(), float("-inf"), False
        self.addFilter(lambda record: record.name == passing or getattr(record, "flywheel", False))

    def emit(self, record: logging.LogRecord) -> None:
        if record.name != self.passing:
            self.clear()
            super().emit(record)
        elif self.tty:
            self.stream.write(OVER + record.getMessage())
            self.stream.flush()
            self.open = True
        elif record.created - self.last >= PIPED:
            self.last = record.created
            super().emit(record)

    def clear(self) -> None:
        """Take away a line of progress that still stands."""
        if self.open:
            self.stream.write(OVER)
            self.stream.flush()
            self.open = False


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
        handler.clear()
        for logger in loggers:
            logger.removeHandler(handler)
