import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tasks.produce.house_rules import Rule, read_system_turns
from tasks.produce.multi_turn import MultiTurn, of_seeds
from tasks.prompt import load
from tasks.recipe import RecipeError
from tasks.record import Record
from tests.produce.played import Body, Run, asked_schema, made
from tests.rows import HOSTILE, ask

KINDS = ("related", "unrelated", "detail", "system_effective", "system_idle")
LANGUAGES = ("en", "zh")
PROMPTS = {
    "en": [f"Why does clock number {n} lose a minute every night? {h}" for n, h in enumerate(HOSTILE)],
    "zh": [f"为什么第{n}座钟每晚都慢一分钟？{h}" for n, h in enumerate(HOSTILE)],
}
ANSWER = {"en": "The pendulum swings slower in the cold.", "zh": "天冷时钟摆走得慢。"}
WORDS = {"en": "pendulum", "zh": "钟摆"}


def only(kind: str, **more: Any) -> MultiTurn:
    return MultiTurn(**{"target": 2, "at_once": 2, "patience": 1, **dict.fromkeys(KINDS, 0.0), kind: 1.0, **more})


def given(language: str) -> list[Record]:
    texts = PROMPTS[language]
    return [ask(text, n, task_type="science", subtype="x", domain="culture") for n, text in enumerate(texts)]


def teacher(language: str, **said: Any) -> Any:
    """One that answers alike, follows up as it is told, and finds in the end what is said."""
    plain: dict[str, Any] = {
        "followup": {"turn": f"And what of “{WORDS[language]}”?", "words": WORDS[language]},
        "leaning": {"reason": "so", "leans": True},
        "bearing": {"reason": "so", "bears": False},
        "": ANSWER[language],
    } | said

    def say(body: Body) -> str:
        reply = plain[asked_schema(body)]
        reply = reply(body) if callable(reply) else reply
        return reply if isinstance(reply, str) else json.dumps(reply, ensure_ascii=False)

    return say


async def hold(kind: str, language: str, folder: Path, pool: Any = None, **said: Any) -> Run:
    more = said.pop("more", {})
    pool = given(language) if pool is None else pool
    return await made(only(kind, languages=(language,), **more), pool, teacher(language, **said), folder)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["related", "detail"])
async def test_a_follow_up_leans_on_the_answer_before(kind: str, language: str, tmp_path: Path) -> None:
    run = await hold(kind, language, tmp_path)
    assert len(run.rows) == 2
    assert len(run.out) == 2 + len(HOSTILE)  # the prompts go on
    for row in run.rows:
        assert [(m.role, m.trained) for m in row.messages] == [
            ("user", False),
            ("assistant", True),
            ("user", False),
            ("assistant", True),
        ]
        assert row.messages[0].content in PROMPTS[language]
        assert row.tags == ("multi_turn", f"multi_turn:{kind}")
        kept = ("science", "x") if kind == "related" else ("question_answering", "explanation")
        assert (row.task_type, row.subtype, row.domain) == (*kept, "culture")
        assert (row.teacher, row.licence, row.made) == ("m-1", "mit", True)
        assert row.derived_from
        assert {s.step.split("/")[0] for s in row.lineage} == {"multi_turn"}
    sent = {m["content"] for b in run.asked for m in b["messages"] if m["role"] == "system"}
    assert not any(words in json.dumps([r.row() for r in run.rows], default=str) for words in sent)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_switch_is_another_prompt_word_for_word(language: str, tmp_path: Path) -> None:
    run = await hold("unrelated", language, tmp_path, leaning={"reason": "", "leans": False})
    for row in run.rows:
        first, _, last, _ = (m.content for m in row.messages)
        assert first != last
        assert {first, last} <= set(PROMPTS[language])
    assert not any(asked_schema(body) == "followup" for body in run.asked)


async def test_a_switch_stays_in_the_script_that_the_user_writes(tmp_path: Path) -> None:
    texts = ["青菜怎麼炒才不會出水？", "空腹吃布洛芬要紧吗？", "腳踏車鏈條多久上一次油？", "律师函是什么意思？"]
    pool = [ask(text, n) for n, text in enumerate(texts)]
    said = {"leaning": {"reason": "", "leans": False}, "more": {"target": 4}}
    run = await hold("unrelated", "zh", tmp_path, pool=pool, **said)
    assert len(run.rows) == 4
    for row in run.rows:
        first, _, last, _ = (m.content for m in row.messages)
        assert {first, last} in ({texts[0], texts[2]}, {texts[1], texts[3]})


@pytest.mark.parametrize("language", LANGUAGES)
async def test_an_effective_system_turn_is_kept_in_every_answer(language: str, tmp_path: Path) -> None:
    rules = {rule.text: rule for rule in read_system_turns("data/system_prompts.yaml").effective[language]}

    def obeys(body: Body) -> str:
        rule = next(r for t, r in rules.items() if t in body["messages"][0]["content"])
        wanted = {c.name: "".join(c.wanted) for c in rule.keeps}
        if "numbered" in wanted and wanted.get("opens_with"):
            return "1. Yes, 是"
        return f"{wanted.get('opens_with', '')} Yes, 是 {wanted.get('closes_with', '')}"

    run = await hold("system_effective", language, tmp_path, more={"target": 8, "at_once": 8}, **{"": obeys})
    assert len(run.rows) == 8
    assert len({row.messages[0].content for row in run.rows}) > 2
    for row in run.rows:
        assert row.messages[0].role == "system"
        assert rules[row.messages[0].content].broken(row.response) == ""
        assert row.constraints == rules[row.messages[0].content].written  # for the gate to look at once more


@pytest.mark.parametrize("language", LANGUAGES)
async def test_an_idle_system_turn_is_published_and_never_seen_by_who_answers(language: str, tmp_path: Path) -> None:
    run = await hold("system_idle", language, tmp_path)
    idle = read_system_turns("data/system_prompts.yaml").idle[language]
    assert all(row.messages[0].content in idle for row in run.rows)
    for body in run.asked:
        if not asked_schema(body):
            assert not any(text in json.dumps(body, ensure_ascii=False) for text in idle)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("kind", "said", "reason"),
    [
        ("related", {"leaning": {"reason": "no", "leans": False}}, "not_leaning"),
        ("unrelated", {}, "leaning"),
        ("detail", {"followup": {"turn": "What of it?", "words": "nowhere"}}, "detail_not_quoted"),
        ("detail", {"followup": {"turn": "What of it?", "words": ""}}, "detail_not_quoted"),
        ("system_idle", {"bearing": {"reason": "it does", "bears": True}}, "system_matters"),
        ("system_idle", {"bearing": "maybe"}, "unparsed"),
        ("related", {"leaning": "maybe"}, "unparsed"),
    ],
)
async def test_a_conversation_that_is_not_what_was_meant_is_eliminated(
    kind: str, said: dict[str, Any], reason: str, language: str, tmp_path: Path
) -> None:
    run = await hold(kind, language, tmp_path, **said)
    assert run.reasons == {reason: 2}
    assert not run.rows


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_system_turn_that_an_answer_ignores_ends_the_conversation(language: str, tmp_path: Path) -> None:
    long = "! ！Antidisestablishmentarianism\n- a 很长。" * 60
    run = await hold("system_effective", language, tmp_path, **{"": long})
    assert run.reasons == {"system_ignored": 2}


@pytest.mark.parametrize(
    ("language", "quoted"), [("en", "“pendulum”"), ("en", '"Pendulum"'), ("zh", "“钟摆”"), ("zh", "「钟摆」")]
)
async def test_quotes_that_a_teacher_puts_round_the_words_are_no_part_of_them(
    language: str, quoted: str, tmp_path: Path
) -> None:
    turn = {"turn": f"And “{WORDS[language]}”, what is that?", "words": quoted}
    assert len((await hold("detail", language, tmp_path, followup=turn)).rows) == 2


async def test_two_conversations_with_one_opening_are_two_records(tmp_path: Path) -> None:
    """One is dropped, another is a row: each has a state of its own in the ledger."""
    calls = Counter[str]()

    def turn(body: Body) -> str:
        calls["turns"] += 1
        return json.dumps({"turn": "And what of “pendulum”?", "words": "pendulum" if calls["turns"] > 2 else "nowhere"})

    run = await hold("detail", "en", tmp_path, pool=given("en")[:2], more={"patience": 3}, followup=turn)
    assert (len(run.rows), run.reasons) == (2, {"detail_not_quoted": 2})
    ids = [record.roots[0] for record in run.rows] + run.dropped_ids
    assert len(set(ids)) == 4


async def test_no_opening_comes_again_before_all_have_had_their_turn(tmp_path: Path) -> None:
    pool = [prompt for prompt in given("en") if prompt.language == "en"]
    run = await hold("related", "en", tmp_path, pool=pool, more={"target": len(pool), "at_once": 3})
    assert Counter(row.messages[0].content for row in run.rows) == Counter(p.instruction for p in pool)


async def test_a_follow_up_that_cannot_be_read_is_noted(tmp_path: Path) -> None:
    run = await hold("related", "en", tmp_path, followup="and then?")
    assert (run.tally.noted, run.tally.made) == ({"unreadable_reply": 2}, 0)


async def test_earlier_answers_carry_loss_where_the_recipe_says_so(tmp_path: Path) -> None:
    run = await hold("related", "en", tmp_path, more={"train_earlier": False})
    assert [[m.trained for m in r.messages] for r in run.rows] == [[False, False, False, True]] * 2


@pytest.mark.parametrize("language", LANGUAGES)
async def test_without_prompts_it_begins_with_the_seeds_and_their_labels(language: str, tmp_path: Path) -> None:
    run = await hold("related", language, tmp_path, pool=[])
    seeds = {r.instruction: r for r in of_seeds(f"data/seeds/{language}.jsonl", language)}
    assert len(run.out) == len(run.rows) == 2
    for row in run.rows:
        seed = seeds[row.messages[0].content]
        assert (row.task_type, row.subtype, row.domain) == (seed.task_type, seed.subtype, "general")


async def test_kinds_come_by_their_shares_and_the_seed_makes_the_same_again(tmp_path: Path) -> None:
    pool, step = [*given("en"), *given("zh")], MultiTurn(target=12, at_once=12)
    runs = [await made(step, pool, teacher("en"), tmp_path / str(n)) for n in (1, 2)]
    assert [r.row() for r in runs[0].out] == [r.row() for r in runs[1].out]
    assert len(Counter(r.tags[1] for r in runs[0].rows)) >= 2
    assert {r.language for r in runs[0].rows} == set(LANGUAGES)


async def test_prompts_that_are_too_few_to_switch_between_give_nothing(tmp_path: Path) -> None:
    run = await hold("related", "en", tmp_path, pool=given("en")[:1])
    assert (len(run.out), run.rows) == (1, [])


@pytest.mark.parametrize(
    ("constraint", "good", "bad"),
    [
        ({"kind": "closes_with", "phrase": "Bye."}, "Yes. Bye.\n", "Bye. Yes."),
        ({"kind": "opens_with", "phrase": "一句话："}, " 一句话：好。".strip(), "好。"),
        ({"kind": "words", "most": 3}, "one two 三", "one two 三四"),
        ({"kind": "forbidden", "words": ["！"]}, "好。", "好！"),
        ({"kind": "bullets", "most": 0}, "a - b", "a\n- b"),
        ({"kind": "numbered", "most": 0}, "第1步。", "1. 好"),
    ],
)
def test_a_rule_holds_or_says_how_it_is_broken(constraint: Any, good: str, bad: str) -> None:
    rule = Rule(text="t", keeps=(constraint,))
    assert rule.broken(good) == ""
    assert constraint["kind"] in rule.broken(bad)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_effective_system_turn_of_ours_can_be_kept_and_be_broken(language: str) -> None:
    for rule in read_system_turns("data/system_prompts.yaml").effective[language]:
        wanted = "1. 是\n" * any(c.name == "numbered" and c.wanted == () for c in rule.keeps)
        texts = [f"{text}是 Yes" for text in ("", wanted, *("".join(c.wanted) for c in rule.keeps))]
        texts += [f"是 Yes {''.join(c.wanted)}" for c in rule.keeps]
        assert any(not rule.broken(text) for text in texts), rule.text
        assert rule.broken("! ！ **a**. b. c. d.\n- e\n" + "a " * 200 + "啊" * 200), rule.text


@pytest.mark.parametrize("text", ["", "effective: {en: [{text: a, keeps: [{kind: sings}]}]}\nidle: {}", "{", "[]"])
def test_a_file_of_system_turns_that_is_none_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text(text)
    with pytest.raises(RecipeError, match="is not a file of system turns"):
        read_system_turns(str(tmp_path / "s.yaml"))


@pytest.mark.parametrize("text", ["not json", "[]", '{"task_type": "a", "subtype": "b"}'])
def test_a_file_of_seeds_that_is_none_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "seeds.jsonl").write_text(text)
    with pytest.raises(RecipeError, match="is not a file of seeds"):
        of_seeds(str(tmp_path / "seeds.jsonl"), "en")


def test_guidance_says_nothing_of_a_system_turn_that_is_not_there() -> None:
    filled = load("multi_turn/answer", "en").fill({"system": (), "conversation": ask("Hi").messages})
    assert [m.role for m in filled.messages] == ["system", "user"]
