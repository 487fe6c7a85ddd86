"""Lists in Arrow columns, as tuples of our own objects and back."""

from __future__ import annotations

import pyarrow as pa

from tasks.nested import fields, lists, structs, texts, tuples
from tasks.record import Score
from tasks.schema import SCORE

LISTS = [["北京", "a"], [], None, ["b"], ["c", "d", "e"]]
SCORES = [(Score("judge", 4.5, "准确"), Score("other", 1.0)), (), (Score("judge", 0.0, "wrong"),)]


def test_each_list_becomes_a_tuple_and_null_is_empty() -> None:
    assert tuples(pa.array(LISTS), texts) == [("北京", "a"), (), (), ("b",), ("c", "d", "e")]


def test_a_column_in_pieces_and_a_slice_of_one_give_the_rows_that_they_hold() -> None:
    whole = pa.chunked_array([pa.array(LISTS), pa.array(LISTS[:2])])
    assert tuples(whole, texts) == [("北京", "a"), (), (), ("b",), ("c", "d", "e"), ("北京", "a"), ()]
    assert tuples(whole.slice(3, 3), texts) == [("b",), ("c", "d", "e"), ("北京", "a")]
    assert tuples(pa.chunked_array([], pa.list_(pa.string())), texts) == []


def test_objects_go_into_lists_of_structs_as_arrow_itself_would_put_them() -> None:
    plain = [[{"name": s.name, "value": s.value, "reason": s.reason} for s in row] for row in SCORES]
    kind = pa.list_(SCORE)
    assert lists(SCORES, kind, structs).equals(pa.array(plain, kind))
    assert lists([], kind, structs).equals(pa.array([], kind))


def test_a_field_that_older_structs_do_not_have_is_none_for_each() -> None:
    older = pa.array([{"name": "judge"}, {"name": "other"}])
    assert [list(column) for column in fields(older, ("name", "reason"))] == [["judge", "other"], [None, None]]
