from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tasks.history.asked import ASKED, Asked, hashed, near_keys, segment
from tasks.history.fresh import Fresh
from tasks.history.index import Index, place
from tasks.history.near import FORMAT
from tasks.history.past import Neighbours, Past
from tasks.shard import Shard, write
from tests.rows import answered, ask

MADE = [
    Asked.of(answered(ask(text, i, conversation="c-1"), "不知道"), "published")
    for i, text in enumerate(("How do I reset a wallet?", "请写一首诗", "How do I reset a wallet?", ""))
]


def kept(folder: Path, asked: list[Asked] = MADE) -> Shard:
    return write(segment(asked), folder / "asked.parquet")


def under(index: Index, key: int) -> list[int]:
    """The rows under a key."""
    _, begin, end = index.find(np.array([key], dtype=np.uint64))
    return [row for b, e in zip(begin, end, strict=True) for row in index.at[b:e].tolist()]


def test_every_key_leads_to_its_rows_in_their_order_and_no_other_key_to_any(tmp_path: Path):
    index = Index.open(kept(tmp_path), tmp_path)
    wallet, poem, again, empty = near_keys(segment(MADE)).tolist()
    assert wallet == again
    assert [under(index, key) for key in wallet if key] == [[0, 2]] * 22
    assert [under(index, key) for key in poem if key] == [[1]] * 22
    assert {*empty} == {0}
    assert under(index, 0) == under(index, 12345) == []
    assert under(index, int(hashed("answer", ["不知道"])[0])) == [0, 1, 2, 3]
    assert under(index, int(hashed("conversation", ["不知道"])[0])) == []


def test_many_keys_at_once_are_found_by_their_numbers(tmp_path: Path):
    index = Index.open(kept(tmp_path), tmp_path)
    known = np.unique(index.keys)
    wanted = np.unique(np.concatenate([known, known + np.uint64(1), known - np.uint64(1)]))
    there, begin, end = index.find(wanted)
    assert wanted[there].tolist() == known.tolist()
    assert (end - begin).sum() == len(index.keys)


def test_an_index_is_mapped_and_not_loaded(tmp_path: Path):
    many = [Asked.of(ask(f"{i} {i * i} lamps?"), "published") for i in range(500)]
    shard = kept(tmp_path, many)
    Index.open(shard, tmp_path)
    before = pa.total_allocated_bytes()
    index = Index.open(shard, tmp_path)
    assert pa.total_allocated_bytes() == before
    assert index.keys.base is not None
    assert not index.keys.flags.owndata
    assert not index.keys.flags.writeable


def test_the_same_segment_gives_the_same_bytes_and_is_not_written_again(tmp_path: Path):
    shard = kept(tmp_path)
    one, other = tmp_path / "1", tmp_path / "2"
    for folder in (one, other, one):
        Index.open(shard, folder)
    files = sorted(p.name for p in one.iterdir())
    assert files == [f"{place(shard, one).name}.{ending}" for ending in ("keys", "rows")]
    assert [(one / f).read_bytes() for f in files] == [(other / f).read_bytes() for f in files]
    stamps = [(one / f).stat().st_mtime_ns for f in files]
    Index.open(shard, one)
    assert [(one / f).stat().st_mtime_ns for f in files] == stamps


@pytest.mark.parametrize("missing", ["keys", "rows"])
def test_what_is_missing_of_an_index_is_made_again(tmp_path: Path, missing: str):
    shard = kept(tmp_path)
    whole = Index.open(shard, tmp_path)
    place(shard, tmp_path).with_suffix(f".{missing}").unlink()
    again = Index.open(shard, tmp_path)
    assert again.rows.equals(whole.rows)
    assert again.keys.tolist() == whole.keys.tolist()


def test_an_index_of_another_format_is_let_be_and_made_anew(tmp_path: Path):
    shard = kept(tmp_path)
    stale = tmp_path / f"{FORMAT - 1}-{shard.sha256[:24]}.keys"
    stale.write_bytes(b"of another format")
    assert len(Index.open(shard, tmp_path).keys) > 0
    assert stale.read_bytes() == b"of another format"


def test_a_segment_that_an_earlier_release_wrote_is_still_read(tmp_path: Path):
    bands = pa.FixedSizeListArray.from_arrays(pa.array([7] * 21 * len(MADE), pa.uint64()), 21)
    old = (
        segment(MADE)
        .drop_columns(["robust"])
        .append_column("bands", bands)
        .replace_schema_metadata({"near_format": "1"})
    )
    past = Past((write(old, tmp_path / "asked.parquet"),), tmp_path)
    assert [past.row(n) for n in range(past.size)] == MADE
    # Edited, as the very same words would be found without bands.
    new = Fresh.of([Asked.of(ask("How do I reset a wallet??"))])
    assert [n.number for n in Neighbours(past, new, 0.7).of(0)] == [0, 2]


def test_a_segment_without_rows_has_an_index_without_keys(tmp_path: Path):
    index = Index.open(kept(tmp_path, []), tmp_path)
    assert (index.rows.num_rows, len(index.keys), index.rows.column_names) == (0, 0, ASKED.names)
    assert under(index, 1) == []
