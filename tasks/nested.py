"""Lists in Arrow columns, as tuples of our own objects and back, without a dict for each.

Arrow's own way from a table to Python and back goes through a dict for every row and every struct in it; that is most
of what a cheap step costs. Here a column is read and written as a whole: the fields of all structs in it are lists
side by side, and what belongs to one row is cut out of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate, chain, pairwise, repeat
from operator import attrgetter
from typing import Any, TypeVar

import pyarrow as pa

Item = TypeVar("Item")
Read = Callable[[pa.Array], Iterable[Item]]


def tuples(lists: pa.ChunkedArray | pa.Array, read: Read[Item]) -> list[tuple[Item, ...]]:
    """Each list of a column as a tuple; `read` gives the items of all lists, one after the other. Null is empty."""
    found: list[tuple[Item, ...]] = []
    for chunk in lists.chunks if isinstance(lists, pa.ChunkedArray) else [lists]:
        items = list(read(chunk.flatten()))
        if not items:  # as in most columns of lists
            found += [()] * len(chunk)
            continue
        ends = accumulate(chunk.value_lengths().fill_null(0).to_pylist(), initial=0)
        found += [tuple(items[start:end]) for start, end in pairwise(ends)]
    return found


def texts(column: pa.Array) -> list[str]:
    return column.to_pylist()


def fields(structs: pa.StructArray, names: Iterable[str]) -> list[Iterable[Any]]:
    """The fields of structs as lists side by side; one that they do not have is None for each."""
    known = {f.name for f in structs.type}
    return [structs.field(n).to_pylist() if n in known else repeat(None, len(structs)) for n in names]


def lists(rows: Sequence[Sequence[Any]], kind: pa.ListType, write: Callable[[list[Any], pa.DataType], pa.Array]) -> Any:
    """The reverse of `tuples`; `write` makes an array of the items of all rows."""
    ends = pa.array(accumulate(map(len, rows), initial=0), pa.int32())
    return pa.ListArray.from_arrays(ends, write(list(chain.from_iterable(rows)), kind.value_type), type=kind)


def structs(items: list[Any], kind: pa.StructType, **given: list[Any]) -> pa.Array:
    """Objects as structs of their attributes, field by field; `given` are fields that are none of their attributes."""
    columns = [pa.array(given.get(f.name) or list(map(attrgetter(f.name), items)), f.type) for f in kind]
    return pa.StructArray.from_arrays(columns, fields=list(kind))
