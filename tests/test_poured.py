from copy import deepcopy
from dataclasses import FrozenInstanceError, dataclass, field, replace
from typing import Any

import pytest

from tasks.poured import poured
from tasks.record import NO_TIME, Message, Record, message_of, record_of

ASKED = (Message("user", "Warum ist der Himmel blau?"), Message("user", "天空为什么是蓝的？"))


@dataclass(frozen=True, slots=True)
class Told:
    said: str
    heard: tuple[str, ...] = ()
    counted: dict[str, int] = field(default_factory=dict)


@pytest.mark.parametrize(
    ("values", "named"),
    [(("说",), {}), (("said", ("a", "b")), {}), ((), {"said": "说", "counted": {"个": 1}})],
)
def test_what_is_poured_is_what_the_class_itself_makes(values: Any, named: Any) -> None:
    made = poured(Told)(*values, **named)
    assert type(made) is Told
    assert made == Told(*values, **named)
    assert repr(made) == repr(Told(*values, **named))


def test_a_poured_record_is_hashed_copied_and_replaced_as_any_other() -> None:
    made, record = record_of(("r-1",), ASKED, NO_TIME), Record(("r-1",), ASKED, NO_TIME)
    assert hash(made) == hash(record)
    assert deepcopy(made) == record
    assert replace(made, language="zh") == replace(record, language="zh")


def test_nobody_changes_what_is_poured() -> None:
    said = message_of("user", "你好")
    with pytest.raises(FrozenInstanceError):
        said.content = "hello"  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(FrozenInstanceError):
        del said.content  # pyright: ignore[reportAttributeAccessIssue]


def test_each_has_what_is_made_anew_for_each() -> None:
    make = poured(Told)
    assert make("one").counted is not make("other").counted


def test_a_field_that_is_missing_or_unknown_is_refused() -> None:
    make: Any = poured(Told)
    for values, named in (((), {}), (("said",), {"strange": 1})):
        with pytest.raises(TypeError):
            make(*values, **named)


def test_a_class_that_does_more_than_keep_its_fields_is_refused() -> None:
    @dataclass(frozen=True, slots=True)
    class Busy:
        said: str

        def __post_init__(self) -> None:
            raise ValueError

    with pytest.raises(TypeError, match="Busy has a __post_init__"):
        poured(Busy)
