from pathlib import Path

import pytest

from tasks.recipe import RecipeError
from tasks.taxonomy import Taxonomy

OURS = """
task_types:
  math:
    en: Work it out
    zh: 算一算
    subtypes:
      sum: {en: an addition, zh: 加法}
      product: {en: a multiplication, zh: 乘法}
domains:
  shop: {en: at the shop, zh: 购物}
"""


def test_a_taxonomy_of_ones_own_is_read_in_both_languages(tmp_path: Path) -> None:
    (tmp_path / "ours.yaml").write_text(OURS)
    ours = Taxonomy.read(str(tmp_path / "ours.yaml"))
    types, domains = ours.listed("fr")
    assert types == "- math/sum: Work it out: an addition\n- math/product: Work it out: a multiplication"
    assert domains == "- shop: at the shop"
    assert ours.listed("zh") == ("- math/sum: 算一算：加法\n- math/product: 算一算：乘法", "- shop: 购物")
    assert ours.first_level == ("math",)


@pytest.mark.parametrize("text", ["", "[]", "a: [", "task_types: {}", "task_types: {a: {en: x}}\ndomains: {}", "\0"])
def test_a_file_that_is_no_taxonomy_is_named_with_what_is_expected(text: str, tmp_path: Path) -> None:
    (tmp_path / "ours.yaml").write_text(text)
    with pytest.raises(RecipeError, match="is not a taxonomy") as fault:
        Taxonomy.read(str(tmp_path / "ours.yaml"))
    assert fault.value.where == "label.taxonomy"
    assert "subtypes" in fault.value.hint


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("  shop: {en: at the shop, zh: 购物}", "  shop: {en: 1, zh: 2}"), "shop: en and zh are texts"),
        (("en: an addition", "en: add one, two or three"), "math/sum: 'two or three' is neither en nor zh"),
        (("at the shop", "at a shop, a market"), "shop: 'a market' is neither en nor zh"),
        (("sum:", "sum/long:"), "math/sum/long: a name of a type, subtype or domain holds no slash"),
        (("domains:\n  shop: {en: at the shop, zh: 购物}", "domains: {}"), "there are no domains"),
    ],
)
def test_a_name_or_a_text_that_cannot_be_used_is_named(change: tuple[str, str], said: str, tmp_path: Path) -> None:
    (tmp_path / "ours.yaml").write_text(OURS.replace(*change))
    with pytest.raises(RecipeError, match=said):
        Taxonomy.read(str(tmp_path / "ours.yaml"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"none\.yaml is not a taxonomy"):
        Taxonomy.read(str(tmp_path / "none.yaml"))


def test_the_taxonomy_of_the_project_reads_in_both_languages() -> None:
    known = Taxonomy.read("data/taxonomy.yaml")
    assert len(known.first_level) >= 12
    for kinds in (known.types, known.domains):
        assert len({k.name for k in kinds}) == len(kinds)
        assert all(k.en.isascii() and not k.zh.isascii() for k in kinds)


@pytest.mark.parametrize(
    ("task_type", "language", "said"),
    [
        ("summarization", "en", "Shorten a text and keep what matters"),
        ("summarization", "zh", "摘要与概括"),
        ("春联", "zh", "春联"),
        ("couplets", "en", "couplets"),
    ],
)
def test_a_task_type_has_a_name_for_a_reader_of_either_language(task_type: str, language: str, said: str) -> None:
    assert Taxonomy.read("data/taxonomy.yaml").means(task_type, language) == said
