"""A whole version, from records to a folder: manifest, card, reports, and that it loads."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks.publish.card import TEMPLATES, front, sample
from tasks.publish.exports import export
from tasks.publish.finish import finish, manifest
from tasks.publish.shapes import SHAPES
from tasks.publish.version import CONFIGS, parent_rows, published, rules, stage
from tasks.recipe import Recipe
from tasks.record import Record
from tasks.schema import table
from tasks.shard import sha256
from tasks.tally import Tally
from tests.rows import HOSTILE, answered, ask

AS_OF = "2026-01-05T00:09:00+00:00"
ROWS = [
    answered(ask("Which lamp is best?", 1, split="train", before=("Hello", "Hi!")), "The red one."),
    answered(ask("请写一首诗", 2, split="train"), "山高月小，水落石出。", 4.5),
    answered(ask("桥有多高？", 3, split="test"), "三十米。👍🏽"),
    *(answered(ask(t, 4 + i, split="train"), t) for i, t in enumerate(HOSTILE)),
]
FINDINGS = [
    {"rule": "has_rows", "severity": "critical", "passed": True, "observed": "8", "expected": "min 1"},
    {"rule": "varied", "severity": "warning", "passed": False, "observed": "a | b\nc", "expected": "0.8"},
]
STAGES = [Tally("prompts", seen=9, out=8, merged=1), Tally("verdict", seen=8, out=8)]
LEDGER = {"merged": 1, "published": len(ROWS)}


ALL = [*SHAPES]


def recipe(language: str = "en") -> Recipe:
    plain = {"output": {"name": "mine"}, "licence": "apache-2.0", "card_language": language}
    return Recipe.model_validate(plain)


def whole(
    folder: Path, rows: list[Record] = ROWS, language: str = "en", parent: Path | None = None, shapes: list[str] = ALL
) -> dict[str, Any]:
    """A version staged, exported and finished; gives its manifest."""
    files = stage(folder, published(table(rows)))
    made_by, chain = rules(["writing"], {"test": 0.05}), [{"seq": 1}]
    sides = parent_rows(folder)
    before = "0.9.0" if parent else None
    plain = manifest(recipe(language), "1.0.0", before, files, sides, made_by, AS_OF, chain, LEDGER, len(rows))
    plain["exports"] = export(folder, folder, shapes)
    finish(folder, plain, sides, FINDINGS, STAGES, ["judge/verdict"], language, parent)
    return json.loads((folder / "manifest.json").read_text("utf-8"))


def matter(folder: Path) -> dict[str, Any]:
    """The front matter of the card."""
    return yaml.safe_load((folder / "README.md").read_text("utf-8").split("---\n")[1])


def leaves(plain: Any) -> list[Any]:
    if isinstance(plain, dict | list):
        return [x for part in (plain.values() if isinstance(plain, dict) else plain) for x in leaves(part)]
    return [plain]


def test_a_version_finished_twice_is_the_same_byte_for_byte(tmp_path: Path):
    one, other = tmp_path / "one", tmp_path / "other"
    assert whole(one) == whole(other)
    for path in sorted(p for p in one.rglob("*") if p.is_file()):
        assert path.read_bytes() == (other / path.relative_to(one)).read_bytes(), path.name


def test_no_file_that_people_or_programs_read_knows_the_time_of_day_or_the_place(tmp_path: Path):
    plain = whole(tmp_path)
    times = [x for x in leaves(plain) if isinstance(x, str) and re.match(r"\d{4}-\d\d-\d\d", x)]
    assert times == [AS_OF]
    today = date.today().isoformat()
    for name in ("manifest.json", "README.md", "croissant.json", "reports/gates.json", "reports/diff.json"):
        text = (tmp_path / name).read_text("utf-8")
        assert today not in text
        assert str(tmp_path) not in text


def test_the_manifest_says_what_is_in_the_version(tmp_path: Path):
    plain = whole(tmp_path)
    assert (plain["name"], plain["version"], plain["parent_version"]) == ("mine", "1.0.0", None)
    assert plain["splits"] == {"train": len(ROWS) - 1, "validation": 0, "test": 1}
    assert plain["counts"] == {"new": len(ROWS), "total": len(ROWS), "ledger": LEDGER}
    assert (plain["languages"], plain["teachers"], plain["license"]) == (["en", "zh"], ["teacher"], "apache-2.0")
    assert plain["gates"] == FINDINGS
    assert set(plain["prompts"]) == {"judge/verdict.en.toml", "judge/verdict.zh.toml"}


def test_the_funnel_has_the_numbers_and_not_the_files(tmp_path: Path):
    whole(tmp_path)
    funnel = json.loads((tmp_path / "reports" / "funnel.json").read_text("utf-8"))
    assert [s["stage"] for s in funnel] == ["prompts", "verdict"]
    assert funnel[0] == {
        "stage": "prompts",
        "seen": 9,
        "made": 0,
        "out": 8,
        "dropped": {},
        "merged": 1,
        "pending": 0,
    }


def test_a_split_without_rows_is_left_out_of_the_cards_configs(tmp_path: Path):
    whole(tmp_path)
    configs = {c["config_name"]: c for c in matter(tmp_path)["configs"]}
    assert set(configs) == {"chat", "prompt_completion"}
    for name, config in configs.items():
        assert config["data_files"] == [
            {"split": "train", "path": f"data/{name}/train-*.parquet"},
            {"split": "test", "path": f"data/{name}/test-*.parquet"},
        ]
    assert [n for n, c in configs.items() if c.get("default")] == ["chat"]


@pytest.mark.parametrize(
    ("count", "expected"),
    [(1, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (10_000, "10K<n<100K"), (100_000, "100K<n<1M")],
)
def test_the_size_category_is_that_of_the_hub(tmp_path: Path, count: int, expected: str):
    text = front(whole(tmp_path), count)
    assert yaml.safe_load(text.split("---\n")[1])["size_categories"] == [expected]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["conversations for supervised fine-tuning", "| split | rows |", "## Gates", "## Limits"]),
        ("zh", ["条监督微调对话", "| 划分 | 条数 |", "## 质量门", "## 局限"]),
    ],
)
def test_the_card_is_in_the_language_of_the_recipe(tmp_path: Path, language: str, words: list[str]):
    whole(tmp_path, language=language)
    text = (tmp_path / "README.md").read_text("utf-8")
    assert all(w in text for w in words)
    assert "# mine 1.0.0" in text
    assert "| train | 7 |\n| validation | 0 |\n| test | 1 |" in text
    assert "| zh | 3 |" in text
    assert "| published | 8 |" in text
    assert "`teacher`" in text
    assert "| ✗ | varied | warning | a \\| b c |" in text
    assert "{{" not in text


TEXTS = sorted(p.name.removesuffix(".en.md") for p in TEMPLATES.glob("*.en.md"))


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_of_the_card_has_the_same_slots_and_code_in_both_languages(name: str):
    en, zh = ((TEMPLATES / f"{name}.{language}.md").read_text("utf-8") for language in ("en", "zh"))
    assert sorted(re.findall(r"\{\{[a-z_]+\}\}", en)) == sorted(re.findall(r"\{\{[a-z_]+\}\}", zh))
    code = [re.sub(r"\s*#.*", "", "".join(re.findall(r"```\w+\n(.*?)```", text, re.S))) for text in (en, zh)]
    assert code[0].replace("path/to/this/folder", "本文件夹的路径") == code[1]


def test_the_card_says_how_each_shape_that_is_there_is_loaded_and_no_other(tmp_path: Path):
    assert {f"load_{s}" for s in (*SHAPES, "datasets", "trl", "pairs")} | {"card"} == set(TEXTS)
    marks = {
        "openai": "purpose=",
        "swift": "swift sft",
        "sharegpt": "dataset: mine\n",
        "alpaca": "mine_alpaca",
        "preference": "mine_preference",
    }
    for shapes in ([], ["swift"], ALL):
        whole(tmp_path, [*ROWS, replace(ROWS[1], rejected_answers=("山高。",))], shapes=shapes)
        text = (tmp_path / "README.md").read_text("utf-8")
        assert {s for s in SHAPES if marks[s] in text} == set(shapes)
        assert (tmp_path / "dataset_info.json").exists() == ("sharegpt" in shapes)
        assert "SFTTrainer" in text


def test_the_card_has_the_licence_of_each_teacher(tmp_path: Path):
    rows = [replace(ROWS[0], licence="apache-2.0"), replace(ROWS[1], teacher="other"), ROWS[2]]
    whole(tmp_path, rows)
    text = (tmp_path / "README.md").read_text("utf-8")
    assert "| `other` | – | 1 |\n| `teacher` | – | 1 |\n| `teacher` | apache-2.0 | 1 |" in text


def test_the_difference_to_the_parent_is_in_the_version_and_on_its_card(tmp_path: Path):
    whole(tmp_path / "old", ROWS[:3])
    relabelled = replace(ROWS[1], task_type="code")
    whole(tmp_path / "new", [ROWS[0], relabelled, *ROWS[3:5]], parent=tmp_path / "old")
    plain = json.loads((tmp_path / "new" / "reports" / "diff.json").read_text("utf-8"))
    assert (plain["from"], plain["to"], plain["same"], plain["grown"], plain["reanswered"]) == (
        "0.9.0",
        "1.0.0",
        1,
        0,
        0,
    )
    assert plain["added"]["rows"] == 2
    assert plain["removed"] == {"rows": 1, "language": {"zh": 1}, "task_type": {"writing": 1}, "split": {"test": 1}}
    assert plain["changed"] == {"rows": 1, "language": {"zh": 1}, "task_type": {"code": 1}, "split": {"train": 1}}
    text = (tmp_path / "new" / "README.md").read_text("utf-8")
    assert "## Since 0.9.0" in text
    assert "| removed | 1 | 1 zh | 1 writing | 1 test |" in text
    whole(tmp_path / "first")
    assert json.loads((tmp_path / "first" / "reports" / "diff.json").read_text("utf-8"))["added"]["rows"] == len(ROWS)


def test_croissant_names_every_parquet_file_and_only_columns_that_are_there(tmp_path: Path):
    plain = whole(tmp_path)
    described = json.loads((tmp_path / "croissant.json").read_text("utf-8"))
    files = {f["@id"]: f for f in described["distribution"] if f["@type"] == "cr:FileObject"}
    assert {i: f["sha256"] for i, f in files.items()} == {f["path"]: f["sha256"] for f in plain["files"]}
    sets = {f["@id"]: f for f in described["distribution"] if f["@type"] == "cr:FileSet"}
    assert {i["@id"] for f in sets.values() for i in f["containedIn"]} == set(files)
    for records in described["recordSet"]:
        columns = [f for f in records["field"] if f["name"] != "split"]
        assert [f["name"] for f in columns] == CONFIGS[records["name"]].names
        for leaf in (part for f in columns for part in f.get("subField", [f])):
            assert leaf["source"]["fileSet"]["@id"] in sets
            assert leaf["source"]["extract"]["column"] in CONFIGS[records["name"]].names


def test_every_file_but_the_manifest_stands_in_the_manifest_with_its_hash(tmp_path: Path):
    plain = whole(tmp_path)
    named = {f["path"]: f["sha256"] for f in plain["files"]} | plain["others"]
    named |= {f["path"]: f["sha256"] for made in plain["exports"].values() for f in made["files"]}
    named |= {f"prompts/{name}": digest for name, digest in plain["prompts"].items()}
    there = {p.relative_to(tmp_path).as_posix(): sha256(p) for p in tmp_path.rglob("*") if p.is_file()}
    there.pop("manifest.json")
    assert named == there


@pytest.mark.parametrize("text", [*HOSTILE, "{{teachers}} {{sample}}", "~~~~\n\n# Not a heading"])
def test_a_sample_is_shown_as_it_is_and_stays_in_its_fence(tmp_path: Path, text: str):
    whole(tmp_path, [answered(ask(text, split="train"), text)])
    shown = (tmp_path / "README.md").read_text("utf-8").split("~~~~json\n")[1].split("\n~~~~\n")[0]
    assert [m["content"] for m in json.loads(shown)] == [text, text]


def test_the_sample_is_the_first_row_that_is_short_enough(tmp_path: Path):
    long = answered(ask("诗" * 2000, split="train"), "好")
    whole(tmp_path, [long, ROWS[1]])
    text = (tmp_path / "README.md").read_text("utf-8")
    assert "请写一首诗" in text
    assert "诗诗诗" not in text
    assert sample(published(table([long]))["train"]) == ""


LOAD = """
import json, sys
from datasets import load_dataset

def plain(found):
    return {side: rows.to_list() for side, rows in found.items()}

path = sys.argv[1]
print(json.dumps([plain(load_dataset(path)), plain(load_dataset(path, "prompt_completion"))]))
"""


def loaded(version: Path, cache: Path) -> list[dict[str, list[dict[str, Any]]]]:
    """Both configs as `datasets` loads them, offline and with this cache."""
    ran = subprocess.run(
        [sys.executable, "-c", LOAD, str(version)],
        env=os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(cache)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


def test_versions_of_one_number_are_not_taken_for_each_other_by_a_loaders_cache(tmp_path: Path):
    other = [*ROWS[1:], replace(ROWS[0], split=ROWS[1].split)]
    for name, rows in (("mine", ROWS), ("yours", other)):
        whole(tmp_path / name / "1.0.0", rows)
        for sides in loaded(tmp_path / name / "1.0.0", tmp_path / "cache"):
            assert sorted(r["row_id"] for rows in sides.values() for r in rows) == sorted(r.row_id for r in rows)
            assert [r["row_id"] for r in sides["train"]] == [r.row_id for r in rows if r.split == "train"]


def test_a_version_loads_offline_by_its_default_config_and_by_name(tmp_path: Path):
    odd = [replace(ROWS[0], tools='[{"name": "lamp"}]'), *ROWS[1:]]
    whole(tmp_path / "version", odd)
    chat, pairs = loaded(tmp_path / "version", tmp_path / "cache")
    assert {s: len(rows) for s, rows in chat.items()} == {"train": len(odd) - 1, "test": 1}
    assert {s: [r["row_id"] for r in rows] for s, rows in pairs.items()} == {
        s: [r["row_id"] for r in rows] for s, rows in chat.items()
    }
    wanted = [[m.content for m in r.messages] for r in odd if r.split == "train"]
    assert [[m["content"] for m in r["messages"]] for r in chat["train"]] == wanted
    assert [[m["content"] for m in r["prompt"] + r["completion"]] for r in pairs["train"]] == wanted
    assert all(m["trained"] == (m is r["messages"][-1]) for r in chat["train"] for m in r["messages"])
