"""The small-model trick for labels: a classifier on this machine learns the teacher's labels and gives the rest.

Document 002: about a thousand answers of the teacher for one task train a small model, and that answers the many. Here
it is logistic regression on TF-IDF of character n-grams, which serve Chinese as they do English. It is trained anew in
each run, on the labels of this run and of the last version: that takes seconds, and nothing that could be tampered
with lies on disk.

What it is trusted with is measured and not assumed: each labelled prompt is predicted by a model that has not seen it
(five parts), and the model labels a prompt alone where its certainty is one from which on, among those, at least
`confidence` had the teacher's type, subtype and domain. All others are left to the teacher.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any, ClassVar, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.recipe import located
from tasks.record import Record
from tasks.schema import records
from tasks.schema import table as table_of
from tasks.step import Folded
from tasks.taxonomy import Taxonomy
from tasks.text import key

TAUGHT = "label/task_type"  # the stamp of a label that the teacher gave
PARTS = 5
FEWEST = 50  # labels below which nothing can be said of the rest, and held-out labels below which of none
MOST_EARLIER = 10_000
CHARACTERS = 2_000  # of a prompt
COLUMNS = ["prompt_id", "messages", "input", "task_type", "subtype", "domain", "lineage"]


@dataclass(frozen=True, slots=True)
class Known:
    """A prompt and what the teacher says that it is."""

    text: str
    kind: str
    domain: str


@dataclass(frozen=True, slots=True)
class Guess:
    """What the model says a prompt is, and how certain it is of both."""

    kind: str
    domain: str
    certainty: float


@dataclass(frozen=True, slots=True)
class SmallModel:
    """Every record, those that it can tell with `task_type`, `subtype` and `domain`; `earlier` are Parquet files of
    the last version, whose labels it learns from too, as far as the taxonomy still has them."""

    taxonomy: Taxonomy
    confidence: float = 0.9
    earlier: tuple[str, ...] = ()
    shape: ClassVar[Literal["fold"]] = "fold"

    @property
    def reads(self) -> tuple[str, ...]:
        return self.earlier

    def __call__(self, table: pa.Table) -> Folded:
        rows = records(table)
        learnt = self.learnt(rows)
        unknown = [i for i, r in enumerate(rows) if not (r.task_type and r.domain)]
        noted = {"teacher_labels": len(learnt)}
        if len(learnt) < FEWEST or not unknown:
            return Folded(table, (), noted)
        held_out = [(g, g.kind == k.kind and g.domain == k.domain) for g, k in predicted_apart(learnt)]
        least = threshold(held_out, self.confidence)
        noted["held_out_percent"] = round(100 * sum(right for _, right in held_out) / len(held_out))
        if least is not None:
            for i, guess in zip(unknown, guesses(learnt, [text_of(rows[i]) for i in unknown]), strict=True):
                if guess.certainty >= least:
                    rows[i] = labelled(rows[i], guess, len(learnt))
        told = sum(bool(rows[i].task_type and rows[i].domain) for i in unknown)
        return Folded(table_of(rows), (), {**noted, "labelled": told, "left_to_teacher": len(unknown) - told})

    def learnt(self, rows: Sequence[Record] = ()) -> list[Known]:
        """The teacher's labels of the last version and of these rows."""
        kinds, domains = ({k.name for k in of} for of in (self.taxonomy.types, self.taxonomy.domains))
        found = [*before(self.earlier), *(known(r) for r in rows if taught([s.step for s in r.lineage]))]
        return [k for k in found if k.kind in kinds and k.domain in domains]


def taught(steps: Sequence[str]) -> bool:
    """Whether the last label in a lineage was the teacher's."""
    labels = [step for step in steps if step in (TAUGHT, "small_model")]
    return bool(labels) and labels[-1] == TAUGHT


def text_of(record: Record) -> str:
    return key(f"{record.instruction}\n{record.input}")[:CHARACTERS]


def known(record: Record) -> Known:
    return Known(text_of(record), f"{record.task_type}/{record.subtype}", record.domain)


def before(files: Sequence[str]) -> Iterator[Known]:
    """The teacher's labels in published files, those with the lowest ids where there are many: a fair draw."""
    rows = [row for file in files for row in pq.read_table(located(file), columns=COLUMNS).to_pylist()]
    fit = [row for row in rows if taught([s["step"] for s in row["lineage"]])]
    for row in sorted(fit, key=lambda r: r["prompt_id"])[:MOST_EARLIER]:
        said = next((m["content"] for m in reversed(row["messages"]) if m["role"] == "user"), "")
        text = key(f"{said}\n{row['input'] or ''}")[:CHARACTERS]
        yield Known(text, f"{row['task_type']}/{row['subtype']}", row["domain"])


def guesses(learnt: Sequence[Known], asked: Sequence[str]) -> list[Guess]:
    """What a model that learnt these labels says of each text."""
    return taught_by(learnt)(asked)


def taught_by(learnt: Sequence[Known]) -> Callable[[Sequence[str]], list[Guess]]:
    """A model that learnt these labels."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    grams: Any = TfidfVectorizer(analyzer="char", ngram_range=(1, 4), min_df=2, max_features=50_000, sublinear_tf=True)
    texts = grams.fit_transform([k.text for k in learnt])
    kinds, domains = teller(texts, [k.kind for k in learnt]), teller(texts, [k.domain for k in learnt])

    def said(asked: Sequence[str]) -> list[Guess]:
        wanted = grams.transform(asked)
        both = zip(kinds(wanted), domains(wanted), strict=True)
        return [Guess(kind, domain, p * q) for (kind, p), (domain, q) in both]

    return said


def teller(texts: Any, labels: Sequence[str]) -> Callable[[Any], list[tuple[str, float]]]:
    """Who tells the likeliest label of each text, and its probability; texts are rows of sparse matrices."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    if len(set(labels)) == 1:
        return lambda asked: [(labels[0], 1.0)] * asked.shape[0]
    # one against the rest by the dual: seconds for fifty kinds, where there are far fewer texts than n-grams. The
    # primal takes twenty times as long, all kinds at once minutes; a finer tolerance moves no probability by 0.0001.
    one = LogisticRegression(C=30, solver="liblinear", dual=True, tol=0.01, random_state=0)
    fitted: Any = OneVsRestClassifier(one).fit(texts, labels)

    def told(asked: Any) -> list[tuple[str, float]]:
        chances = fitted.predict_proba(asked)
        best = chances.argmax(axis=1)
        return [(str(fitted.classes_[b]), float(row[b])) for b, row in zip(best, chances, strict=True)]

    return told


def predicted_apart(learnt: Sequence[Known]) -> Iterator[tuple[Guess, Known]]:
    """Each with what a model says of it that learnt from the other four parts."""
    for part in range(PARTS):
        held = learnt[part::PARTS]
        rest = [k for i, k in enumerate(learnt) if i % PARTS != part]
        yield from zip(guesses(rest, [k.text for k in held]), held, strict=True)


def threshold(held_out: Sequence[tuple[Guess, bool]], confidence: float) -> float | None:
    """The lowest certainty from which on at least that share is right; None where there is none."""
    surest = sorted(held_out, key=lambda one: -one[0].certainty)
    rights = accumulate(right for _, right in surest)
    fits = [i for i, right in enumerate(rights) if i + 1 >= FEWEST and right >= confidence * (i + 1)]
    return surest[fits[-1]][0].certainty if fits else None


def labelled(record: Record, guess: Guess, learnt: int) -> Record:
    task_type, _, subtype = guess.kind.partition("/")
    named = replace(record, task_type=task_type, subtype=subtype, domain=guess.domain)
    detail = f"certainty {guess.certainty:.3f}, learnt from {learnt} labels"
    return named.stamped("small_model", model="character n-grams", detail=detail)
