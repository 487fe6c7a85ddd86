"""The example of a team's own technique, as the README tells it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flows.commands.trying import try_
from tests.commands.test_trying import tried
from tests.flows.conftest import PROJECT
from tests.flows.teachers import good, teacher

EXAMPLES = PROJECT / "deployments" / "examples"


@pytest.mark.parametrize(("text", "sent"), [("Why is the sky blue?", "ten-year-old"), ("天为什么是蓝的？", "十岁")])
def test_the_example_asks_in_the_language_of_the_question(
    text: str, sent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(EXAMPLES)
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    assert try_.name == "try"
    with teacher(good) as at:
        endpoint = ("--set", f"teacher.base_url={at.url}", "--set", "teacher.model=canned")
        out = tried("for_children.py:ForChildren", "--text", text, *endpoint)
        assert sent in json.dumps(at.asked, ensure_ascii=False)
        assert out.count("kept") == 2
        out = tried("for_children.py:ForChildren", "--text", text, "--with", "longest=3", *endpoint)
        assert "too_long_for_a_child" in out


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_both_readmes_hold_the_example_as_it_is(readme: str) -> None:
    assert (EXAMPLES / "for_children.py").read_text("utf-8") in Path(PROJECT / readme).read_text("utf-8")
