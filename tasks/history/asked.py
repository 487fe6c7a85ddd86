"""What was asked, and what came of it: the memory that one increment leaves to the next.

Every prompt that survived the dedup of prompts stands here, published or not, so that a prompt that was
asked once is known for ever: nobody pays for it twice, and eight weekly runs come to what one run comes
to. A row holds keys (folded text for matching), never the text that is published.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tasks.history.near import BANDS, U64, bands, jaccard
from tasks.record import ROBUST, Record, identity
from tasks.text import key

ASKED = pa.schema(
    [
        ("prompt_id", pa.string()),
        ("row_id", pa.string()),
        ("fate", pa.string()),
        ("side", pa.string()),
        ("conversation", pa.string()),
        ("system", pa.string()),
        ("turns", pa.string()),
        ("last", pa.string()),
        ("answer", pa.string()),
        ("robust", pa.bool_()),
    ]
)
PUBLISHED = "published"
EXACT = ("answer", "conversation")  # columns whose very text is a key, too


@dataclass(frozen=True, slots=True)
class Asked:
    """One prompt in its folded form. `row_id` and `side` are empty unless it was published. `robust`: its spelling is
    what it is for, so it is no duplicate of the same prompt well spelled, close as they are."""

    prompt_id: str
    system: str
    turns: str
    last: str
    conversation: str = ""
    answer: str = ""
    row_id: str = ""
    fate: str = ""
    side: str = ""
    robust: bool = False

    @classmethod
    def of(cls, record: Record, fate: str = "") -> Asked:
        said = "\n".join(m.content for m in record.ask if m.role == "system")
        turns = "\n".join([*(m.content for m in record.ask if m.role != "system"), record.input, record.tools])
        given, last = material(record, turns)
        system = f"{said}\0{given}" if given else said
        published = fate == PUBLISHED
        return cls(
            prompt_id=record.prompt_id,
            system=identity("s", key(system)) if system else "",
            turns=key(turns.replace(given, " ")) if given else key(turns),
            last=key(last),
            conversation=record.conversation,
            answer=key(record.response),
            row_id=record.row_id if published else "",
            fate=fate,
            side=record.split if published else "",
            robust=ROBUST in record.tags,
        )

    @property
    def words(self) -> tuple[str, str, str]:
        """All that likeness looks at."""
        return self.system, self.turns, self.last

    def likeness(self, other: Asked, floor: float = 0.0) -> float:
        """How alike two prompts are: 0 under different system prompts, else the lesser of the Jaccard
        similarity of the whole conversation and that of its last turn.

        Turns of one session share their beginning, and requests of one product their system prompt;
        neither makes two questions one. Where it is less than `floor`, it may be less than what this gives, still
        below `floor`: conversations are long, and their last turns often tell enough.
        """
        if self.words == other.words:
            return float(bool(self.last))
        if self.system != other.system:
            return 0.0
        last = jaccard(self.last, other.last)
        return min(last, jaccard(self.turns, other.turns)) if last and last >= floor else last


def material(record: Record, turns: str) -> tuple[str, str]:
    """The passage where it stands in what is asked, and the last turn without it.

    Two questions about one long text are two questions, and one question about two texts is two: the text is weighed
    as a system prompt is, and not as words of the question.
    """
    last = record.instruction
    without = last.replace(record.passage, " ") if record.passage else last
    return (record.passage, without) if record.passage in turns and without.strip() else ("", last)


def segment(asked: Sequence[Asked]) -> pa.Table:
    """The table that an increment keeps."""
    return pa.table({n: [getattr(a, n) for a in asked] for n in ASKED.names}, schema=ASKED)


def near_keys(rows: pa.Table) -> np.ndarray:
    """The keys under which prompts like these are found, uint64 of (rows x 43); 0 is none.

    Bands of the conversation, bands of the last turn where that is another text, and the hash of the very words.
    Likeness is the lesser of two, so either kind finds a pair: where a shared beginning crowds the buckets of the
    conversation, those of the last turn stay small. Prompts under different system prompts share no key.
    """
    system, turns, last = (rows.column(c).to_pylist() for c in ("system", "turns", "last"))
    keys = np.zeros((len(last), 2 * BANDS + 1), dtype=U64)
    keys[:, :BANDS] = bands([t if said else "" for t, said in zip(turns, last, strict=True)])
    other = [i for i, (t, said) in enumerate(zip(turns, last, strict=True)) if said != t]
    keys[other, BANDS:-1] = bands([last[i] for i in other])
    keys[:, BANDS:-1][keys[:, BANDS:-1] == keys[:, :BANDS]] = 0
    salted = (keys ^ hashed("system", system)[:, None]) * U64(0x9FB21C651E98DF25)
    keys = np.where(keys, salted, keys)
    words = zip(system, turns, last, strict=True)
    keys[:, -1] = hashed("words", ("\0".join(w) if w[-1] else "" for w in words))
    return keys


def hashed(kind: str, texts: Iterable[str]) -> np.ndarray:
    """A 64-bit hash of each text among those of its kind; 0 for an empty one."""
    return np.array([digest(kind, text) if text else 0 for text in texts], dtype=U64)


def digest(kind: str, text: str) -> int:
    made = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8, person=kind.encode())
    return int.from_bytes(made.digest(), "little")
