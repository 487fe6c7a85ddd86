"""LLaMA-Factory's own loader takes the version's folder as `dataset_dir`, with the history masked, and its pairs."""

from __future__ import annotations

import sys
import tempfile
from typing import Any, Literal

import no_audio  # noqa: F401  (before the loader, which asks for it)
import tiny
from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
from llamafactory.hparams import DataArguments, ModelArguments
from published import Plain, Report, Version, differences, heard, in_order, said, shares, spans, taught, unheard
from transformers import Seq2SeqTrainingArguments

SHAPES = {"sharegpt": "", "alpaca": "_alpaca"}


def check(version: Version, shape: str, report: Report, folder: str) -> None:
    """Labels of every example against the turns that are published as trained, in the order of the rows."""
    rows = {split: version.rows("chat", split) for split in ("train", "validation")}
    tokenizer = tiny.tokenizer((t for row in rows["train"] for t in heard(row) + taught(row)), folder)
    made = loaded(version, SHAPES[shape], "sft", tokenizer, folder)
    for split, examples in (("train", made["train_dataset"]), ("validation", made["eval_dataset"])):
        expected = [(row, [text]) for row in rows[split] for text in taught(row)]
        trained = [spans(tokenizer, e["input_ids"], e["labels"]) for e in examples]
        found, faults = in_order(expected, trained, version.left_out(shape))
        faults = faults or unheard(found, [tokenizer.decode(e["input_ids"]) for e in examples])
        gone = f"; {len(expected) - len(found)} left out" if len(found) < len(expected) else ""
        report.line(f"{shape}/{split}", f"{len(examples)} rows, {shares(e['labels'] for e in examples)}{gone}", faults)


def pairs(version: Version, shape: str, report: Report, folder: str) -> None:
    """Both answers of every pair against what is published as chosen and rejected, in the order of the rows."""
    for split, held in (("train", "train_dataset"), ("validation", "eval_dataset")):
        rows = version.rows(shape, split)
        tokenizer = tiny.tokenizer((t for row in rows for one in both(row) for t in one), folder)
        examples = loaded(version, "_preference", "rm", tokenizer, folder)[held]
        sides = [[(e[f"{s}_input_ids"], e[f"{s}_labels"]) for s in ("chosen", "rejected")] for e in examples]
        trained = [[spans(tokenizer, *side) for side in of] for of in sides]
        faults = differences("pair", trained, [both(row) for row in rows])
        report.line(f"{shape}/{split}", f"{len(rows)} pairs, {shares(e['chosen_labels'] for e in examples)}", faults)


def both(row: Plain) -> list[list[str]]:
    return [[said(turn) for turn in row[one]] for one in ("chosen", "rejected")]


def loaded(version: Version, suffix: str, stage: Literal["sft", "rm"], tokenizer: Any, folder: str) -> Any:
    """Both sides as the trainer of that stage gets them."""
    name = version.manifest["name"] + suffix
    data = DataArguments(
        dataset=name,
        eval_dataset=f"{name}_validation",
        dataset_dir=str(version.folder),
        template="qwen",
        cutoff_len=tiny.LENGTH,
        mask_history=stage == "sft",
        overwrite_cache=True,
    )
    return get_dataset(
        get_template_and_fix_tokenizer(tokenizer, data),
        ModelArguments(model_name_or_path=folder),
        data,
        Seq2SeqTrainingArguments(output_dir=folder, report_to="none", use_cpu=True),
        stage=stage,
        tokenizer=tokenizer,
    )


if __name__ == "__main__":
    report, version = Report("llamafactory"), Version(sys.argv[1])
    checks = dict.fromkeys(SHAPES, check) | ({"preference": pairs} if version.files("preference") else {})
    for shape, one in checks.items():
        with tempfile.TemporaryDirectory() as folder, report.trying(shape):
            one(version, shape, report, folder)
    report.close()
