"""The recipe: what it takes, and what it says to what it does not take."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel, ValidationError

from tasks.recipe import PROJECT, Recipe, RecipeError, Source, checked, located, part_of, put, read
from tasks.teacher.endpoints import check

RECIPES = sorted((PROJECT / "deployments/recipes").glob("*.yaml"))


def test_the_three_recipes_are_there() -> None:
    assert {p.stem for p in RECIPES} >= {"samples", "weekly", "minimal"}


@pytest.mark.parametrize("path", RECIPES, ids=lambda p: p.stem)
def test_each_recipe_of_the_project_loads(path: Path) -> None:
    assert read(path).seed == 7


def test_the_weekly_recipe_shows_the_defaults() -> None:
    assert read(PROJECT / "deployments/recipes/weekly.yaml") == Recipe()


def test_the_recorded_teacher_belongs_to_the_samples_alone() -> None:
    recorded = {p.stem for p in RECIPES if read(p).teacher.recorded}
    assert recorded == {"samples"}
    assert read(PROJECT / "deployments/recipes/samples.yaml").output.name not in {
        read(p).output.name for p in RECIPES if p.stem != "samples"
    }


def test_every_field_says_what_it_is_for() -> None:
    """The form in the Prefect UI is drawn from these."""

    def silent(model: type[BaseModel], way: str = "") -> list[str]:
        here = [way + n for n, f in model.model_fields.items() if not f.description]
        parts = [(n, p) for n, f in model.model_fields.items() if (p := part_of(f.annotation))]
        return here + [s for n, p in parts for s in silent(p, f"{way}{n}.")]

    assert silent(Recipe) == []


@pytest.mark.parametrize(
    ("plain", "where", "hint"),
    [
        ({"techer": {}}, "techer", "did you mean teacher"),
        ({"teacher": {"modle": "x"}}, "teacher.modle", "did you mean model"),
        ({"judge": {"api_key": "x"}}, "judge.api_key", "did you mean api_key_env"),
        ({"teacher": {"price": {"inptu": 1, "output": 2}}}, "teacher.price.inptu", "did you mean input"),
        ({"sources": [{"uri": "a"}, {"url": "b"}]}, "sources.1.url", "did you mean uri"),
        ({"sources": [{"uri": "a", "mapping": {"vtoe": "b"}}]}, "sources.0.mapping.vtoe", "did you mean vote"),
        ({"budget": {"zzz": 1}}, "budget.zzz", "the fields there are usd, tokens, calls"),
        ({"预算": 1}, "预算", "the fields there are sources, teacher"),
    ],
)
def test_a_typo_names_the_nearest_field(plain: dict[str, Any], where: str, hint: str) -> None:
    with pytest.raises(RecipeError, match="there is no field") as fault:
        checked(plain, "weekly.yaml")
    assert (fault.value.where, fault.value.hint[: len(hint)]) == (where, hint)
    assert fault.value.what.startswith("weekly.yaml: ")


def test_a_ready_mapping_goes_by_name_and_a_typo_names_the_nearest() -> None:
    recipe = checked({"sources": [{"uri": "a", "mapping": "openai"}]})
    assert recipe.sources[0].mapping.messages == "request.messages"
    assert checked(recipe.model_dump()) == recipe
    with pytest.raises(RecipeError, match="no ready mapping openia; did you mean openai") as fault:
        checked({"sources": [{"uri": "a", "mapping": "openia"}]})
    assert fault.value.where == "sources.0.mapping"


SECRET = "planted-Pa55word"


@pytest.mark.parametrize(
    "source",
    [
        {"uri": f"postgresql+psycopg://u:{SECRET}@h/d", "table": "logs"},
        {"uri": f"postgresql://u@h/d?password={SECRET}", "table": "logs"},
        {"uri": f"sftp://u:{SECRET}@h/logs"},
        {"uri": f"https://h/a.jsonl?X-Amz-Signature={SECRET}"},
        {"uri": f"zip://a.jsonl::https://u:{SECRET}@h/a.zip"},
        {"uri": "s3://b/logs", "storage": {"secret": SECRET}},
        {"uri": "s3://b/logs", "storage": {"client_kwargs": {"aws_secret_access_key": SECRET}}},
    ],
)
def test_a_secret_in_a_source_is_refused_says_what_to_do_and_is_not_said_again(source: dict[str, Any]) -> None:
    with pytest.raises(RecipeError, match="holds a secret") as fault:
        checked({"sources": [source]})
    assert "password_env" in fault.value.what
    assert SECRET not in f"{fault.value.what} {fault.value.hint}"
    with pytest.raises(ValidationError) as raw:
        Source.model_validate(source)
    assert SECRET not in str(raw.value)
    with pytest.raises(RecipeError) as typo:
        put({"sources": []}, f"sources.7.uri={source}")
    assert SECRET not in typo.value.what


@pytest.mark.parametrize("name", ["key", "api-key", "api_key", "subscription-key", "access_token"])
def test_a_key_in_an_address_is_refused_and_is_not_said_again(name: str) -> None:
    for ends in ({"teacher": {}}, {"tiers": {"big": {}}}):
        (role,) = ends
        at = {"base_url": f"https://h/v1?v=2&{name}={SECRET}"}
        with pytest.raises(RecipeError, match="the variable that api_key_env names") as fault:
            checked({role: {"big": at} if role == "tiers" else at})
        assert fault.value.where.endswith("base_url")
        assert SECRET not in f"{fault.value.what} {fault.value.hint}"
    assert checked({"teacher": {"base_url": "https://h/v1?api-version=2026-01-01"}}).teacher.base_url


@pytest.mark.parametrize(
    "source",
    [
        {"uri": "postgresql://u@h:5432/d?sslmode=require&sslkey=/etc/key.pem", "query": "SELECT 1"},
        {"uri": "s3://b/logs/*.jsonl", "storage": {"anon": True, "endpoint_url": "http://127.0.0.1:9000"}},
        {"uri": "http://u@h/a.jsonl?config=token", "password_env": "LOGS_PASSWORD"},
        {"uri": "/var/log/a:b@c.jsonl"},
    ],
)
def test_a_source_without_a_secret_is_taken(source: dict[str, Any]) -> None:
    assert checked({"sources": [source]}).sources[0].uri == source["uri"]


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ({"uri": "postgresql://u@h/d", "table": "a", "query": "SELECT 1"}, "both a table and a query"),
        ({"uri": "sqlite:///logs.db"}, "a database needs a table, or a query"),
        ({"uri": "logs.jsonl", "table": "logs"}, "uri should be one, such as postgresql://"),
        ({"uri": "sqlite:///logs.db", "table": "logs", "overlap": "-P1D"}, "greater than or equal to 0"),
    ],
)
def test_a_database_has_a_table_or_a_query(source: dict[str, Any], what: str) -> None:
    with pytest.raises(RecipeError, match=what):
        checked({"sources": [source]})


@pytest.mark.parametrize("overlap", ["P2D", "2 days", "2d", 172800])
def test_an_overlap_is_read_from_what_people_write(overlap: Any) -> None:
    recipe = checked({"sources": [{"uri": "sqlite:///l.db", "table": "l", "overlap": overlap}]})
    assert recipe.sources[0].overlap == timedelta(days=2)
    assert checked(recipe.model_dump(mode="json")) == recipe


@pytest.mark.parametrize(
    ("plain", "where"),
    [
        ({"teacher": {"timeout": 0}}, "teacher.timeout"),
        ({"output": {"name": "../other"}}, "output.name"),
        ({"output": {"name": ""}}, "output.name"),
        ({"output": {"name": "数据"}}, "output.name"),
        ({"output": {"name": "x" * 101}}, "output.name"),
        ({"sources": [{"uri": ""}]}, "sources.0.uri"),
        ({"mine": {"languages": ["fr"]}}, "mine.languages.0"),
        ({"sources": "logs.jsonl"}, "sources"),
        ({"split": {"validation": 0.6, "test": 0.4}}, "split"),
        ({"shard_rows": 0}, "shard_rows"),
    ],
)
def test_a_value_out_of_range_names_its_field(plain: dict[str, Any], where: str) -> None:
    with pytest.raises(RecipeError, match=rf"^recipe: {where}: ") as fault:
        checked(plain)
    assert fault.value.where == where


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        ("shard_rows: 0", "shard_rows", "greater than or equal to 1; it is 0"),
        (
            "judging: {min_score: hot}",
            "judging.min_score",
            'unable to parse string as a number; it is "hot"',
        ),
        ("mine: {languages: [en, fr]}", "mine.languages.1", "should be 'en' or 'zh'; it is \"fr\""),
        ("card_language: 法语", "card_language", 'it is "法语"'),
        (
            "judging: {off: true}",
            "judging",
            "a key is false, which is how YAML reads off or no: write",
        ),
        ("on: {a: 1}", "", "a key is true, which is how YAML reads on or yes: write the word in quotes"),
        ("split: {1: 0.5}", "split", "a key is 1, and has to be a text: write it in quotes"),
        (
            "output: {name: off}",
            "output.name",
            "it is false, which is how YAML reads off or no: write",
        ),
    ],
)
def test_a_fault_names_what_was_found(text: str, where: str, said: str) -> None:
    with pytest.raises(RecipeError) as fault:
        checked(yaml.safe_load(text))
    assert fault.value.where == where
    assert said in fault.value.what


@pytest.mark.parametrize("field", ["api_key_env", "model", "base_url"])
@pytest.mark.parametrize("secret", [31415926, ["sk-31415926"], {"sk-31415926": 1}])
def test_what_may_be_a_secret_in_the_wrong_place_is_not_said_again(field: str, secret: Any) -> None:
    with pytest.raises(RecipeError) as fault:
        checked({"teacher": {field: secret}})
    assert "31415926" not in f"{fault.value.what} {fault.value.hint}"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("teacher.model=gpt-5", {"teacher": {"model": "gpt-5", "rpm": 1}}),
        ("teacher.rpm=60", {"teacher": {"rpm": 60}}),
        ("teacher.rpm=", {"teacher": {"rpm": None}}),
        ("judge.price={input: 1, output: 2.5}", {"judge": {"price": {"input": 1, "output": 2.5}}}),
        ("sources.0.uri=日志/*.jsonl", {"sources": [{"uri": "日志/*.jsonl"}, {"uri": "b"}]}),
        ("sources.-1.name=x=y", {"sources": [{"uri": "a"}, {"uri": "b", "name": "x=y"}]}),
        ("empty.deep.er=true", {"empty": {"deep": {"er": True}}}),
    ],
)
def test_put_sets_one_value_and_leaves_the_rest(change: str, expected: dict[str, Any]) -> None:
    plain: dict[str, Any] = {"teacher": {"rpm": 1}, "sources": [{"uri": "a"}, {"uri": "b"}], "empty": None}
    before = dict(plain)
    put(plain, change)
    assert plain == before | expected


@pytest.mark.parametrize(
    "change", ["", "seed", "=7", "sources.2.uri=x", "sources.first.uri=x", "seed.x=1", "seed.x.y=1", "teacher.model=[1"]
)
def test_put_refuses_a_change_that_has_no_place(change: str) -> None:
    with pytest.raises(RecipeError, match=r"^--set "):
        put({"sources": [{}, {}], "seed": 7, "teacher": {}}, change)


def test_a_value_that_is_no_yaml_is_said_without_the_value() -> None:
    with pytest.raises(RecipeError, match=r"^--set teacher\.model=…: the value is not YAML$"):
        put({}, f"teacher.model=[{SECRET}")


def test_changes_are_made_before_the_recipe_is_checked(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("teacher: {model: a}\n")
    recipe = read(tmp_path / "r.yaml", ["teacher.model=b", "output.name=mine", "teacher.model=c"])
    assert (recipe.teacher.model, recipe.output.name) == ("c", "mine")
    with pytest.raises(RecipeError, match=r"teacher\.modle"):
        read(tmp_path / "r.yaml", ["teacher.modle=b"])


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        (b"a: [", r"r\.yaml line 1, column 5 is not YAML: ", ""),
        (b"- a\n- b", r"r\.yaml holds a list; expected fields", ""),
        (b"just words", r"r\.yaml holds one str; expected fields", ""),
        (b"\x00", r"r\.yaml is not YAML: ", ""),
        (b"sources:\n\t- uri: a\n", r"r\.yaml line 2, column 1 is not YAML: a tab", "indent with spaces"),
        ("licence: 中文\n".encode("utf-16"), r"r\.yaml is not UTF-8", "save it as UTF-8"),
        ("licence: 中文\n".encode("gb18030"), r"r\.yaml is not UTF-8: its byte 9 is none", "save it as UTF-8"),
        (b"seed: 1\nbudget: {}\nseed: 2\n", r"r\.yaml line 3, column 1 is not YAML: seed stands there twice", ""),
        ("teacher: {model: 甲, model: 乙}\n".encode(), r"line 1, column 21 is not YAML: model stands there twice", ""),
        (b"a: 1\n---\nb: 2\n", r"r\.yaml line 2, column 1 is not YAML: but found another document", ""),
        (b"[" * 3000, r"r\.yaml is nested too deep", ""),
        (b"teacher: !!python/name:os.system\n", r"is not YAML: could not determine a constructor", ""),
        (b"sources: 2026-02-30\n", r"r\.yaml is not YAML: day is out of range", ""),
    ],
)
def test_a_file_that_is_no_recipe_says_what_is_wrong_and_where(
    tmp_path: Path, text: bytes, what: str, hint: str
) -> None:
    (tmp_path / "r.yaml").write_bytes(text)
    with pytest.raises(RecipeError, match=what) as fault:
        read(tmp_path / "r.yaml")
    assert fault.value.hint == hint


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_recipe_is_the_same_with_whatever_line_ends_and_a_byte_order_mark(
    tmp_path: Path, encoding: str, end: str
) -> None:
    text = end.join(["teacher: &it {model: 甲}", "judge: {<<: *it, model: 乙}", ""])
    (tmp_path / "r.yaml").write_bytes(text.encode(encoding))
    recipe = read(tmp_path / "r.yaml")
    assert recipe.judge
    assert (recipe.teacher.model, recipe.judge.model) == ("甲", "乙")


@pytest.mark.parametrize("name", ["x" * 300 + ".yaml", "配" * 100, "a\0b.yaml", "~nobody-of-that-name/r.yaml", "."])
def test_a_name_that_no_recipe_can_have_is_one_sentence(name: str) -> None:
    with pytest.raises(RecipeError, match=r"no recipe at|cannot be read|is a folder"):
        read(name)


def test_an_empty_file_is_a_recipe_of_defaults_and_no_file_is_none(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("")
    assert read(tmp_path / "r.yaml") == Recipe()
    with pytest.raises(RecipeError, match="no recipe at") as fault:
        read(tmp_path / "other.yaml")
    assert "minimal.yaml" in fault.value.hint


@pytest.mark.parametrize(
    "since", ["2026-09-01", "2026-09-01T00:00:00", "2026-09-01T08:00:00+08:00", "2026-09-01 00:00:00Z"]
)
def test_a_time_is_utc_where_it_names_no_zone(since: str) -> None:
    plain: dict[str, Any] = {"sources": [{"uri": "a"}]}
    put(plain, f"sources.0.since={since}")
    assert checked(plain).sources[0].since == datetime(2026, 9, 1, tzinfo=UTC)


def test_a_path_is_looked_for_where_the_command_runs_and_then_in_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert located("data/taxonomy.yaml") == PROJECT / "data/taxonomy.yaml"
    assert located("nowhere.jsonl") == tmp_path / "nowhere.jsonl"
    (tmp_path / "data").mkdir()
    (tmp_path / "data/taxonomy.yaml").touch()
    assert located("data/taxonomy.yaml") == tmp_path / "data/taxonomy.yaml"
    assert located("/etc") == Path("/etc")


def test_recipes_do_not_share_their_parts() -> None:
    Recipe().teacher.model = "changed"
    Recipe().clean.boilerplate.append("changed")
    assert (Recipe().teacher.model, Recipe().clean.boilerplate) == (None, [])


def small(**changes: Any) -> dict[str, Any]:
    at = {"model": "tiny", "base_url": "http://127.0.0.1:8000/v1", "api_key_env": "SMALL_KEY"}
    return {"answer": {"small_model": {"task_type": "classification", "train": ["train.sh"], "at": at, **changes}}}


def test_a_small_model_that_answers_is_asked_live_and_beside_a_live_teacher() -> None:
    assert checked(small()).later.keys() == {"answer.small_model.at"}
    assert "small_model" not in checked(small()).endpoints
    with pytest.raises(RecipeError, match="take `batch` and `recorded` out"):
        checked(small(at={"model": "tiny", "base_url": "http://127.0.0.1:8000/v1", "batch": True}))
    with pytest.raises(RecipeError, match="name the base_url that `serve` serves"):
        checked(small(at={"model": "tiny"}, serve=["serve.sh"]))
    with pytest.raises(RecipeError, match="recorded answers and those of a model may not be mixed"):
        checked(small() | {"teacher": {"recorded": "data/samples/teacher.jsonl"}})
    with pytest.raises(RecipeError, match="that name is taken"):
        checked({"tiers": {"small_model": {"model": "m"}}})


def test_its_key_is_asked_for_before_anything_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.delenv("SMALL_KEY", raising=False)
    with pytest.raises(RecipeError, match="SMALL_KEY is not set"):
        check(checked(small() | {"teacher": {"model": "m"}}))
