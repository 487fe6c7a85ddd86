"""`flywheel try`: all that is said, on one record and in several ways."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from flows.commands.trying import try_
from tests.flows.teachers import good, teacher


def tried(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(try_, arguments, standalone_mode=False)
    assert done.exception is None, done.exception
    assert done.return_value == code, done.output
    return done.output


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")


@pytest.mark.parametrize("text", ["Why is the sea salt?", "海水为什么是咸的？"])
def test_one_record_shows_every_message_as_sent_the_reply_and_what_was_kept(text: str) -> None:
    with teacher(good) as at:
        out = tried("distill", "--text", text, "--set", f"teacher.base_url={at.url}", "--set", "teacher.model=canned")
        assert len(at.asked) == 1
    for sent in at.asked[0]["messages"]:
        assert sent["content"].split("\n")[0] in out
    assert "answered under the number" in out
    assert "kept" in out


@pytest.mark.parametrize(("technique", "given"), [("distill", ("--text", "海水为什么是咸的？")), ("rag_router", ())])
def test_a_teacher_that_nobody_reaches_is_exit_5_and_says_so(technique: str, given: tuple[str, ...]) -> None:
    with teacher(good) as at:
        gone = at.url
    sets = (f"teacher.base_url={gone}", "teacher.model=canned", "teacher.outage=0", "teacher.attempts=1")
    out = tried(technique, *given, *(word for one in sets for word in ("--set", one)), code=5)
    assert "stopped" in out
    assert "disconnected" in out


def test_several_prompts_and_models_on_a_file_come_to_a_table(tmp_path: Path) -> None:
    other = tmp_path / "polite" / "answer"
    other.mkdir(parents=True)
    ours = Path("prompts/answer/direct.en.toml").read_text()
    (other / "direct.en.toml").write_text(ours.replace("content = '''", "content = '''Be very polite. ", 1))
    lines = [{"text": "Why is the sea salt?"}, {"text": "How do ships float?"}]
    (tmp_path / "asks.jsonl").write_text("\n".join(map(json.dumps, lines)))
    with teacher(good) as at:
        out = tried(
            *("distill", "--file", str(tmp_path / "asks.jsonl"), "--prompts", str(tmp_path / "polite")),
            *("--model", "m-1", "--model", "m-2", "--set", f"teacher.base_url={at.url}"),
            *("--out", str(tmp_path / "out.csv")),
        )
        assert len(at.asked) == 8
    assert sum("Be very polite." in json.dumps(a) for a in at.asked) == 4
    assert [line.split()[0] for line in out.splitlines()[1:]] == ["m-1", "m-2", "m-1", "m-2"]
    assert (tmp_path / "out.csv").read_text().count("answered under the number") == 8


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("distill",), "nothing is given"),
        (("distil", "--text", "x"), "there is no technique distil (answer.chain.0) — did you mean distill"),
        (("evol_instrct", "--text", "x"), "did you mean evol_instruct"),
        (("distill", "--file", "nowhere.jsonl"), "cannot be read"),
        (("distill", "--text", "x", "--with", "temperature=["), "temperature=[ is no setting (--with)"),
        (("distill", "--text", "x", "--with", "temperature"), "temperature is no setting (--with)"),
        (("distill", "--text", "x", "--out", "no/where.csv"), "no/where.csv cannot be written (--out)"),
        (("distill", "--text", "x", "--out", "."), "cannot be written (--out)"),
        (("distill", "--text", "Why is the sea salt?", "--prompts", "broken"), "is not TOML"),
        (("distill", "--text", "海水为什么是咸的？", "--prompts", "broken"), "is not TOML"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_nobody_is_asked(
    arguments: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken" / "answer").mkdir(parents=True)
    for language in ("en", "zh"):
        (tmp_path / "broken" / "answer" / f"direct.{language}.toml").write_bytes(b"\xff\xfe no [")
    with teacher(good) as at:
        told = tried(*arguments, "--set", "teacher.model=m", "--set", f"teacher.base_url={at.url}", code=2)
        assert not at.asked
    assert said in told
    assert told.startswith("flywheel: ")
    assert told.count("\n") == 1


@pytest.mark.parametrize("text", ["Why is the sea salt?", "海水为什么是咸的？"])
@pytest.mark.parametrize(
    ("priced", "usd"),
    [(("0", "0"), "0.0000"), (("0", "1000000"), r"[1-9]\d*\.0000"), ((), r"\?")],
    ids=["free", "a dollar a token", "unknown"],
)
def test_what_is_free_costs_nothing_and_only_an_unknown_price_is_unknown(
    text: str, priced: tuple[str, ...], usd: str
) -> None:
    prices = [f"teacher.price.{what}={usd}" for what, usd in zip(("input", "output"), priced, strict=False)]
    with teacher(good) as at:
        sets = [f"teacher.base_url={at.url}", "teacher.model=canned", *prices]
        out = tried("distill", "--text", text, *(word for one in sets for word in ("--set", one)))
    assert re.fullmatch(usd, out.splitlines()[-1].split()[8])
