import re

import pytest

from tasks.history.ledger import LEDGER, Ledger, dropped
from tasks.tally import Unbalanced


def gone(reason: str, *roots: str, into: str = "", detail: str = "") -> dict[str, object]:
    return {"reason": reason, "roots": list(roots), "into": into, "detail": detail}


def states(ledger: Ledger) -> dict[str, str]:
    return {log_id: state for log_id, (state, _, _) in ledger.states.items()}


def test_every_state_that_a_row_can_end_in():
    ledger = Ledger(seen=7)
    ledger.enter(["bad"], "unreadable", detail="not JSON")
    ledger.publish([("r-1", ["a", "b", "c"]), ("r-2", ["d"])])
    ledger.drop([gone("too_short", "e", detail="1 unit"), gone("gated:refused", "f", "g")])
    ledger.drop([gone("merged", "h", into="r-9"), gone("rejected_before", "i", into="p-9")])
    ledger.enter(["j"], "pending")
    ledger.close(["bad", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j"])
    assert states(ledger) == {
        "bad": "unreadable",
        "a": "published",
        "b": "merged",
        "c": "merged",
        "d": "published",
        "e": "dropped:too_short",
        "f": "gated:refused",
        "g": "gated:refused",
        "h": "merged",
        "i": "dropped:rejected_before",
        "j": "pending",
    }
    assert sum(ledger.counts.values()) == 11 + 7
    assert ledger.counts["seen"] == 7
    assert dropped(ledger.counts) == {"too_short": 1, "gated:refused": 2, "rejected_before": 1}


def test_a_row_that_merged_within_the_run_is_told_by_the_record_that_took_it():
    ledger = Ledger()
    ledger.drop([gone("merged", "b", into="p-1")])
    assert ledger.states == {}
    ledger.drop([gone("low", "a", "b")])
    assert states(ledger) == {"a": "dropped:low", "b": "dropped:low"}


@pytest.mark.parametrize("second", ["pending", "published", "dropped:too_short"])
def test_a_row_with_two_states_is_a_fault(second: str):
    ledger = Ledger()
    ledger.publish([("r-1", ["a"])])
    with pytest.raises(Unbalanced, match=re.escape(f"log row a is both published and {second}")):
        ledger.enter(["a"], second)


def test_one_log_row_behind_two_published_rows_is_a_fault():
    with pytest.raises(Unbalanced, match="log row b is both merged and published"):
        Ledger().publish([("r-1", ["a", "b"]), ("r-2", ["b"])])


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (["a", "b", "c"], "1 log rows have no state, the first is c"),
        (["b"], "1 log rows have a state but were not read"),
    ],
)
def test_a_lost_row_and_a_strange_one_are_faults(read: list[str], said: str):
    ledger = Ledger()
    ledger.publish([("r-1", ["a", "b"])])
    with pytest.raises(Unbalanced, match=said):
        ledger.close(read)


def test_nothing_read_balances():
    ledger = Ledger()
    ledger.close([])
    assert ledger.counts == {}
    assert ledger.table({}).num_rows == 0


def test_the_table_is_in_the_order_of_the_ids_and_names_the_user():
    ledger = Ledger()
    ledger.publish([("r-1", ["b", "a"])])
    ledger.enter(["c"], "unreadable", detail="不是 JSON")
    rows = ledger.table({"a": "u-1"})
    assert rows.schema.equals(LEDGER)
    assert rows.to_pylist() == [
        {"log_id": "a", "state": "merged", "into": "r-1", "detail": "", "user": "u-1"},
        {"log_id": "b", "state": "published", "into": "r-1", "detail": "", "user": ""},
        {"log_id": "c", "state": "unreadable", "into": "", "detail": "不是 JSON", "user": ""},
    ]
