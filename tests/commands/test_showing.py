"""What stands on the terminal while a run goes on."""

from __future__ import annotations

import io
import logging
import re

import pytest

from flows.commands.showing import Stages
from flows.pace import Figures

HIDE, SHOW, ERASE = "\x1b[?25l", "\x1b[?25h", "\x1b[2K"
CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "120")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)


def figures(done: int, seconds: float = 60.0, stage: str = "answer") -> Figures:
    return Figures(stage, 100, done, seconds)


def passing(now: Figures | None, at: float = 0.0, stage: str = "answer") -> logging.LogRecord:
    text = f"{now.done} of 100" if now else ""
    return said(text, "passing", created=at, stage=stage, figures=now)


def said(text: str, name: str = "prefect.flow_runs", **more: object) -> logging.LogRecord:
    return logging.makeLogRecord({"name": name, "msg": text, "levelno": logging.INFO} | more)


def test_on_a_terminal_progress_is_redrawn_in_place_and_a_stage_line_stays() -> None:
    out = Terminal()
    handler = Stages(out, "passing")
    for record in (passing(figures(10)), passing(figures(20)), passing(None), said("answer 5 in", flywheel=True)):
        handler.handle(record)
    drawn, _, after = out.getvalue().partition(SHOW)
    assert [int(n) for n in re.findall(r"(\d+) of 100 rows", drawn)] == [10, 20, 20]  # the last as it is taken away
    assert "20 of 100" not in after
    assert ERASE in after
    assert CODES.sub("", after).strip() == "answer 5 in"


def test_a_notice_is_printed_above_the_block_which_goes_on() -> None:
    out = Terminal()
    handler = Stages(out, "passing")
    handler.handle(passing(figures(10)))
    handler.handle(said("the teacher does not answer", flywheel=True))
    assert re.search(r"does not answer\n[^\n]*10 of 100 rows", CODES.sub("", out.getvalue()))
    handler.clear()


def test_two_stages_under_way_are_both_shown() -> None:
    out = Terminal()
    handler = Stages(out, "passing")
    handler.handle(passing(figures(10)))
    handler.handle(passing(figures(3, stage="judge"), stage="judge"))
    assert re.search(r"answer.*10 of 100 rows.*\n.*judge.*3 of 100 rows", out.getvalue())
    handler.handle(passing(None))
    handler.handle(passing(figures(4, stage="judge"), stage="judge"))
    assert re.search(r"judge\s[^\n]*4 of 100 rows", out.getvalue())
    assert SHOW not in out.getvalue()
    handler.clear()


def test_the_cursor_comes_back_with_the_end_of_the_run() -> None:
    out = Terminal()
    handler = Stages(out, "passing")
    handler.handle(passing(figures(10)))
    handler.clear()
    handler.clear()
    assert (out.getvalue().count(HIDE), out.getvalue().count(SHOW)) == (1, 1)


def test_with_no_color_nothing_is_coloured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    out = Terminal()
    handler = Stages(out, "passing")
    handler.handle(passing(figures(50)))
    handler.clear()
    styles = {int(n) for found in re.findall(r"\x1b\[([\d;]*)m", out.getvalue()) for n in found.split(";") if n}
    assert "50 of 100 rows" in out.getvalue()
    assert styles <= {0, 1}  # none, bold


@pytest.mark.parametrize("term", ["dumb", "unknown"])
def test_a_terminal_that_cannot_redraw_is_treated_as_a_pipe(monkeypatch: pytest.MonkeyPatch, term: str) -> None:
    monkeypatch.setenv("TERM", term)
    out = Terminal()
    Stages(out, "passing").handle(passing(figures(10), at=1e9))
    assert out.getvalue() == "10 of 100\n"


def test_in_a_pipe_a_long_stage_has_a_line_every_ten_seconds_and_no_control_code() -> None:
    out = io.StringIO()
    handler = Stages(out, "passing")
    for second in range(35):
        handler.handle(passing(figures(second, second), at=1e9 + second))
    handler.handle(passing(None))
    handler.clear()
    assert out.getvalue() == "10 of 100\n20 of 100\n30 of 100\n"


def test_what_is_not_the_flows_own_is_not_shown() -> None:
    out = io.StringIO()
    Stages(out, "passing").handle(said("Finished in state Completed()"))
    assert not out.getvalue()


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_codes_in_what_an_endpoint_said_are_shown_and_not_obeyed(stream: type[io.StringIO]) -> None:
    out = stream()
    Stages(out, "passing").handle(said("the batch has to wait: \x1b[2J gone [bold]", flywheel=True))
    assert "\x1b" not in out.getvalue()
    assert "\\x1b[2J gone [bold]" in out.getvalue()
