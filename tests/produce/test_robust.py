from dataclasses import replace
from pathlib import Path

import pytest

from tasks.language import detect
from tasks.produce.robust import Robust
from tasks.produce.typos_en import English
from tasks.produce.typos_zh import Chinese
from tasks.record import ROBUST, Message
from tasks.text import key
from tests.produce.scripted import ran
from tests.rows import ask

EN = "Could you explain why the bread in the kitchen goes stale so quickly, and what would help to keep it soft?"
ZH = "请问为什么面包放在冰箱里反而更容易变硬，有没有什么简单的办法可以让它保持柔软？"
KEPT = {
    "en": ("`sorted(x)`", "https://example.org/a?b=c", "[EMAIL_1]", "3,500", "“old hat”", "```\nx = 1\n```"),
    "zh": ("`sorted(x)`", "https://example.org/a?b=c", "[EMAIL_1]", "3500", "“一言难尽”", "```\nx = 1\n```"),
}
ALL_EN = English(neighbour=0.5, phonetic=0.5, dropped_word=1.0)
ALL_ZH = Chinese(homophone=0.6, pinyin=0.5, dropped_character=0.2)
each_language = pytest.mark.parametrize(("language", "text"), [("en", EN), ("zh", ZH)])


@each_language
async def test_a_copy_is_spelled_badly_tagged_and_asks_nobody(language: str, text: str, tmp_path: Path) -> None:
    record = replace(ask(text, before=["早 hello", "yes 在"], tags=("kept",)), input="材料")
    done = await ran(Robust(), [record], tmp_path)
    (made,) = done.made
    assert done.out[0] == record
    assert done.asked == []
    assert made.tags == ("kept", ROBUST)
    assert key(made.instruction) != key(text)
    assert made.messages[:-1] == record.messages[:-1]
    assert (made.input, made.language, made.kind) == ("材料", language, "prompts")
    stamp = made.lineage[-1]
    assert (stamp.step, stamp.parents) == ("robust", (record.prompt_id,))
    assert " x" in stamp.detail
    assert made.derived_from == record.roots


@each_language
async def test_code_addresses_numbers_placeholders_and_quotes_are_never_touched(
    language: str, text: str, tmp_path: Path
) -> None:
    given = [ask(f" {kept} ".join((text, text, "")) + f"({n})", n) for kept in KEPT[language] for n in range(5)]
    done = await ran(Robust(most=1.0, english=ALL_EN, chinese=ALL_ZH), given, tmp_path)
    assert len(done.made) == len(given)
    by_parent = {r.prompt_id: r for r in given}
    for made in done.made:
        before = by_parent[made.lineage[-1].parents[0]].instruction
        assert all(made.instruction.count(kept) == before.count(kept) for kept in KEPT[language])


@each_language
async def test_the_same_prompt_is_misspelled_in_the_same_way_wherever_it_stands(
    language: str, text: str, tmp_path: Path
) -> None:
    crowd = [ask(f"{text} {n}", n) for n in range(3)]
    alone = await ran(Robust(per_record=2), crowd[:1], tmp_path / "one")
    among = await ran(Robust(per_record=2), crowd[::-1], tmp_path / "two")
    assert {r.row_id for r in alone.made} <= {r.row_id for r in among.made}
    assert len(alone.made) == 2
    assert len({key(r.instruction) for r in alone.made}) == 2


@each_language
async def test_no_more_than_the_given_share_is_hit(language: str, text: str, tmp_path: Path) -> None:
    quiet = {"unpunctuated": 0.0, "unfinished": 0.0}
    step = Robust(most=0.05, english=replace(ALL_EN, **quiet), chinese=replace(ALL_ZH, **quiet))
    (made,) = (await ran(step, [ask(text)], tmp_path)).made
    assert made.lineage[-1].detail.endswith(" x1")


@each_language
@pytest.mark.parametrize("kind", ["unpunctuated", "unfinished"])
async def test_a_prompt_can_lack_its_marks_or_its_end(kind: str, language: str, text: str, tmp_path: Path) -> None:
    none = {name: 0.0 for rates in (English, Chinese) for name in rates.__dataclass_fields__} | {kind: 1.0}
    step = Robust(
        english=English(**{n: none[n] for n in English.__dataclass_fields__}),
        chinese=Chinese(**{n: none[n] for n in Chinese.__dataclass_fields__}),
    )
    (made,) = (await ran(step, [ask(text)], tmp_path)).made
    assert made.lineage[-1].detail.startswith(kind)
    if kind == "unfinished":
        assert text.startswith(made.instruction)
        assert len(text) - 15 <= len(made.instruction) < len(text)
    else:
        assert not set(made.instruction) & set(",.?，。？")
        assert detect(made.instruction) == language


@pytest.mark.parametrize("text", ["1 + 1 = ?", "`x`", "....。。", "https://example.org", "《红楼梦》", "42"])
async def test_a_prompt_with_nothing_to_misspell_has_no_copy(text: str, tmp_path: Path) -> None:
    loud = Robust(english=replace(ALL_EN, unpunctuated=0.0), chinese=replace(ALL_ZH, unpunctuated=0.0))
    done = await ran(loud, [ask(text)], tmp_path)
    assert (done.out, done.tally.noted) == ([ask(text)], {"nothing_to_misspell": 1})


async def test_what_is_badly_spelled_already_or_in_another_language_or_a_tools_passes_by(tmp_path: Path) -> None:
    given = [
        ask(ZH, 0, tags=(ROBUST,)),
        replace(ask("Pourquoi la mer est-elle salée ?", 1), language="other"),
        replace(ask(EN, 2), messages=(Message("user", EN), Message("tool", "{}"))),
    ]
    done = await ran(Robust(), given, tmp_path)
    assert done.out == given
