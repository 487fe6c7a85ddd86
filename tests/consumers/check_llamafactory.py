"""LLaMA-Factory's own loader takes the version's folder as `dataset_dir`, with the history masked."""

from __future__ import annotations

import sys
import tempfile

import no_audio  # noqa: F401  (before the loader, which asks for it)
import tiny
from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
from llamafactory.hparams import DataArguments, ModelArguments
from published import Report, Version, heard, in_order, shares, spans, taught, unheard
from transformers import Seq2SeqTrainingArguments

SHAPES = {"sharegpt": "", "alpaca": "_alpaca"}


def check(version: Version, shape: str, report: Report, folder: str) -> None:
    """Labels of every example against the turns that are published as trained, in the order of the rows."""
    name = version.manifest["name"] + SHAPES[shape]
    rows = {split: version.rows("chat", split) for split in ("train", "validation")}
    tokenizer = tiny.tokenizer((t for row in rows["train"] for t in heard(row) + taught(row)), folder)
    data = DataArguments(
        dataset=name,
        eval_dataset=f"{name}_validation",
        dataset_dir=str(version.folder),
        template="qwen",
        cutoff_len=tiny.LENGTH,
        mask_history=True,
        overwrite_cache=True,
    )
    made = get_dataset(
        get_template_and_fix_tokenizer(tokenizer, data),
        ModelArguments(model_name_or_path=folder),
        data,
        Seq2SeqTrainingArguments(output_dir=folder, report_to="none", use_cpu=True),
        stage="sft",
        tokenizer=tokenizer,
    )
    for split, examples in (("train", made["train_dataset"]), ("validation", made["eval_dataset"])):
        expected = [(row, [text]) for row in rows[split] for text in taught(row)]
        trained = [spans(tokenizer, e["input_ids"], e["labels"]) for e in examples]
        found, faults = in_order(expected, trained, version.left_out(shape))
        faults = faults or unheard(found, [tokenizer.decode(e["input_ids"]) for e in examples])
        gone = f"; {len(expected) - len(found)} left out" if len(found) < len(expected) else ""
        report.line(f"{shape}/{split}", f"{len(examples)} rows, {shares(e['labels'] for e in examples)}{gone}", faults)


if __name__ == "__main__":
    report = Report("llamafactory")
    for shape in SHAPES:
        with tempfile.TemporaryDirectory() as folder, report.trying(shape):
            check(Version(sys.argv[1]), shape, report, folder)
    report.close()
