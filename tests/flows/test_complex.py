"""Complex instructions and edited prompts in the real flow: rows that keep what is asked, and preference pairs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml
from aiohttp import web

from tasks.constraint.register import read
from tasks.teacher.protocol import asked_schema, completion, texts
from tests.flows.conftest import PROJECT, Done
from tests.flows.teachers import good, teacher

Flywheel = Callable[..., Done]
SUBJECTS = {
    "en": ["a lost umbrella", "the night train north", "our new library", "an orchard in frost", "a broken kettle"],
    "zh": ["一把丢失的雨伞", "北上的夜车", "新开的图书馆", "霜后的果园", "坏掉的水壶"],
}
FITTING = {
    "en": {"keywords": ["window", "morning"], "avoid": ["sorrow"], "opening": "That day", "closing": "and so on"},
    "zh": {"keywords": ["窗户", "清晨"], "avoid": ["忧愁"], "opening": "那一天", "closing": "如此而已"},
}
LONGER = {  # no commas, and something of most that can be counted
    "en": """# The {0}

That day the morning stood in the window 👍 and **{0}** came to mind <<once>> more. It was a BIG day 👍 [name].

## What followed

- **First** there is [place] to speak of <<today>>.
- Then come the boys with folded paper.

1. Look at the morning.
2. Keep the window open with a brick and so on""",
    "zh": """# {0}

那一天清晨的窗户外面是**{0}**👍。清晨的风吹进窗户👍。“真好”有人说。

## 后来的事

- **首先**要说说[地点]里的<<往事>>。
- 接着说说[姓名]和<<窗户>>。

1. 清晨看一看窗户。
2. 窗户里透着清晨的光如此而已""",
}


def writer(body: dict[str, Any]) -> web.StreamResponse:
    """Writes a hasty draft, and when it is told what is wrong something longer that is still not all that was asked."""
    said, schema = texts(body), asked_schema(body)
    if schema == "labelled":
        return answer(json.dumps({"task_type": "writing/professional", "domain": "general"}))
    language = "zh" if any("一" <= c <= "鿿" for c in said[-1]) else "en"
    if schema == "fitting":
        return answer(json.dumps(FITTING[language], ensure_ascii=False))
    if schema:
        return good(body)
    subject = next(s for s in SUBJECTS[language] if any(s in text for text in said))
    if not any(m["role"] == "assistant" for m in body["messages"]):
        return answer(f"{subject}？")
    return answer(LONGER[language].format(subject))


def answer(text: str) -> web.StreamResponse:
    return web.json_response(completion(text.strip(), "canned", ""))


def recipe(folder: Path, name: str, url: str, asked: list[str]) -> str:
    """The recipe as it stands in the project, for these logs and this teacher."""
    lines = [
        {"id": f"q{i}", "created_at": f"2026-03-{i + 1:02d}T00:00:00Z", "messages": [{"role": "user", "content": text}]}
        for i, text in enumerate(asked)
    ]
    (folder / "logs.jsonl").write_text("".join(json.dumps(x, ensure_ascii=False) + "\n" for x in lines), "utf-8")
    plain = yaml.safe_load((PROJECT / f"deployments/recipes/{name}.yaml").read_text("utf-8"))
    plain["sources"] = [{"uri": str(folder / "logs.jsonl")}]
    plain["teacher"] |= {"model": "canned", "base_url": url}
    plain["output"]["dir"] = str(folder / "lake")
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(plain, allow_unicode=True), "utf-8")
    return str(folder / f"{name}.yaml")


def rows(path: str, config: str) -> list[dict[str, Any]]:
    return [r for f in sorted(Path(path).glob(f"data/{config}/*.parquet")) for r in pq.read_table(f).to_pylist()]


def test_complex_instructions_are_published_with_answers_that_keep_them_and_pairs(
    flywheel: Flywheel, tmp_path: Path
) -> None:
    asked = [f"Please write me a few lines about {s} for the village paper." for s in SUBJECTS["en"]]
    asked += [f"请以“{s}”为题，替村里的小报写一段短文。" for s in SUBJECTS["zh"]]
    with teacher(writer) as at:
        told = recipe(tmp_path, "complex_instruct", at.url, asked)
        done = flywheel("refresh", "--recipe", told, "--json", OPENAI_API_KEY="k")
        assert done.code == 0, done.err
        assert done.json["ledger"]["published"] > 0
        made = [r for r in rows(done.json["path"], "chat") if r["constraints"]]
        assert done.json["made"]["published"] == len(made) > 0
        assert {r["language"] for r in made} == {"en", "zh"}, done.json["made"]
        assert all(read(c).holds(r["messages"][-1]["content"]) for r in made for c in r["constraints"])
        pairs = rows(done.json["path"], "preference")
        assert len(pairs) == sum(len(r["rejected_answers"]) for r in made) > 0
        by_id = {r["row_id"]: r for r in made}
        for pair in pairs:
            row = by_id[pair["row_id"]]
            assert pair["chosen"][0]["content"] == row["messages"][-1]["content"]
            assert not all(read(c).holds(pair["rejected"][0]["content"]) for c in row["constraints"])
        checked = flywheel("verify", "--name", "complex_instruct", "--out", str(tmp_path / "lake"))
        assert checked.code == 0, checked.out + checked.err


def test_prompts_are_edited_to_what_their_answers_do(flywheel: Flywheel, tmp_path: Path) -> None:
    asked = [f"Write at least 200 words about {SUBJECTS['en'][0]} for the village paper.", "Why is the sea salty?"]
    asked += [f"请以“{SUBJECTS['zh'][0]}”为题，替村里的小报写一篇不少于200字的短文。"]

    def short(body: dict[str, Any]) -> web.StreamResponse:
        if asked_schema(body) or "sea" in texts(body)[-1]:
            return good(body)
        zh = SUBJECTS["zh"][0] in texts(body)[-1]
        return answer(
            "雨伞丢在车上。" * 31 + "后来找到了。" if zh else "The umbrella stayed on the bus. " * 31 + "It is back."
        )

    with teacher(short) as at:
        done = flywheel(
            "refresh", "--recipe", recipe(tmp_path, "draw_target", at.url, asked), "--json", OPENAI_API_KEY="k"
        )
        assert done.code == 0, done.err
        prompts = [r["messages"][0]["content"] for r in rows(done.json["path"], "chat")]
        assert f"Write at least 180 words about {SUBJECTS['en'][0]} for the village paper." in prompts
        assert f"请以“{SUBJECTS['zh'][0]}”为题，替村里的小报写一篇不少于190字的短文。" in prompts
        assert "Why is the sea salty?" in prompts
        assert done.json["made"] == {"published": 2}
        assert done.json["ledger"] == {"published": 1, "used": 2}
        checked = flywheel("verify", "--name", "draw_target", "--out", str(tmp_path / "lake"))
        assert checked.code == 0, checked.out + checked.err
