"""What stands on the terminal while a run goes on."""

from __future__ import annotations

import io
import logging

from flows.commands.showing import OVER, Stages


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def said(text: str, name: str = "passing", at: float = 0.0, **more: object) -> logging.LogRecord:
    return logging.makeLogRecord({"name": name, "msg": text, "created": at, "levelno": logging.INFO} | more)


def test_on_a_terminal_progress_is_written_over_and_a_stage_line_stays() -> None:
    out = Terminal()
    handler = Stages(out, "passing")
    for record in (said("10 %"), said("20 %"), said("answer 5 in", "prefect.flow_runs", flywheel=True)):
        handler.handle(record)
    assert out.getvalue() == f"{OVER}10 %{OVER}20 %{OVER}answer 5 in\n"


def test_a_line_of_progress_does_not_outlive_the_run() -> None:
    out = Terminal()
    handler = Stages(out, "passing")
    handler.handle(said("10 %"))
    handler.clear()
    handler.clear()
    assert out.getvalue() == f"{OVER}10 %{OVER}"


def test_in_a_pipe_there_is_a_line_every_ten_seconds_and_no_control_code() -> None:
    out = io.StringIO()
    handler = Stages(out, "passing")
    for second in range(21):
        handler.handle(said(f"after {second} s", at=1e9 + second))
    handler.clear()
    assert out.getvalue() == "after 0 s\nafter 10 s\nafter 20 s\n"


def test_what_is_not_the_flows_own_is_not_shown() -> None:
    out = io.StringIO()
    Stages(out, "passing").handle(said("Finished in state Completed()", "prefect.flow_runs"))
    assert not out.getvalue()
