"""The entry point, as a shell calls it."""

from __future__ import annotations

import sys

import click
import pytest

from flows.commands import COMMANDS, flywheel, main


def ended(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["flywheel", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("refesh",), "flywheel: there is no command refesh; did you mean refresh — see flywheel --help"),
        (("刷新",), "flywheel: there is no command 刷新; the commands are refresh,"),
        (("calls", "--list", "0"), "flywheel: Invalid value for '--list'"),
        (("techniques", "evol_instrct"), "flywheel: there is no technique evol_instrct (NAME) — did you mean"),
        (("techniques", "--recipe", "不存在.yaml"), "flywheel: no recipe at "),
        (("refresh", "--since", "昨天"), "flywheel: --since 昨天: expected a time in ISO 8601"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_exit_code_2(
    arguments: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(monkeypatch, *arguments) == 2
    told = capsys.readouterr().err
    assert told.startswith(said)
    assert told.count("\n") == 1


def test_ctrl_c_at_whatever_moment_is_one_sentence_and_exit_code_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @click.command()
    def waits() -> None:
        raise KeyboardInterrupt

    monkeypatch.setitem(COMMANDS, "waits", (__name__, "Waits for somebody."))
    monkeypatch.setattr(flywheel, "get_command", lambda *_: waits)
    assert ended(monkeypatch, "waits") == 130
    assert capsys.readouterr().err.strip() == "flywheel: interrupted"
