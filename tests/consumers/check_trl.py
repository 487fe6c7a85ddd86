"""TRL's SFTTrainer takes both configs, masks what it should and makes two steps; DPOTrainer takes the preferences."""

from __future__ import annotations

import math
import sys
import tempfile
from pathlib import Path

import tiny
from datasets import load_dataset
from published import Plain, Report, Version, differences, heard, said, shares, spans, taught, unheard
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

TEMPLATE = Path(__file__).with_name("chatml.jinja")
SETTINGS = {"prompt_completion": {}, "chat": {"assistant_only_loss": True}}
TWO_STEPS = {
    "max_steps": 2,
    "per_device_train_batch_size": 2,
    "max_length": None,
    "use_cpu": True,
    "bf16": False,
    "report_to": "none",
    "save_strategy": "no",
    "logging_steps": 1,
    "disable_tqdm": True,
}


def supervised(version: Version, config: str, report: Report, folder: str) -> None:
    """Labels of every row against what is published as trained, then two steps."""
    rows = {split: version.rows("chat", split) for split in ("train", "validation")}
    texts = [text for row in rows["train"] for text in heard(row) + taught(row)]
    tokenizer = tiny.tokenizer(texts, folder, TEMPLATE)
    sides = load_dataset(str(version.folder), config)
    trainer = SFTTrainer(
        model=tiny.model(len(tokenizer)),
        args=SFTConfig(output_dir=folder, **TWO_STEPS, **SETTINGS[config]),
        train_dataset=sides["train"],
        eval_dataset=sides["validation"],
        processing_class=tokenizer,
    )
    for split, made in (("train", trainer.train_dataset), ("validation", trainer.eval_dataset)):
        labels = [m["labels"] for m in made]
        trained = [spans(tokenizer, m["input_ids"], m["labels"]) for m in made]
        shown = [tokenizer.decode(m["input_ids"]) for m in made]
        faults = differences("row", trained, [taught(r) for r in rows[split]])
        faults = faults or unheard(rows[split], shown)
        report.line(f"{config}/{split}", f"{len(labels)} rows, {shares(labels)}", faults)
    stepped(trainer, config, report)


def preferred(version: Version, config: str, report: Report, folder: str) -> None:
    """Both answers of every pair against what is published as chosen and rejected, then two steps."""
    sides = load_dataset(str(version.folder), config)
    rows = version.rows(config, "train")
    tokenizer = tiny.tokenizer([text for row in rows for text in (*asked(row), *answers(row))], folder, TEMPLATE)
    tiny.model(len(tokenizer)).save_pretrained(folder)
    trainer = DPOTrainer(
        model=folder,  # a path: what answers are compared against is loaded from it too
        args=DPOConfig(output_dir=folder, **TWO_STEPS),
        train_dataset=sides["train"],
        processing_class=tokenizer,
    )
    made = trainer.train_dataset
    both = [[spans(tokenizer, ids, ids) for ids in (m["chosen_ids"], m["rejected_ids"])] for m in made]
    faults = differences("pair", both, [[[text] for text in answers(row)] for row in rows])
    shown = zip(rows, (tokenizer.decode(m["prompt_ids"]) for m in made), strict=True)
    faults = faults or [f"the prompt lacks {text!r}" for row, said in shown for text in asked(row) if text not in said]
    report.line(f"{config}/train", f"{len(rows)} pairs", faults)
    stepped(trainer, config, report)


def asked(row: Plain) -> list[str]:
    return [turn["content"] for turn in row["prompt"] if turn["content"]]


def answers(row: Plain) -> list[str]:
    return [said(turn) for one in ("chosen", "rejected") for turn in row[one]]


def stepped(trainer: SFTTrainer | DPOTrainer, config: str, report: Report) -> None:
    loss = trainer.train().training_loss
    report.line(f"{config}: two steps", f"loss {loss:.3f}", [] if math.isfinite(loss) else ["the loss is not finite"])


if __name__ == "__main__":
    report, version = Report("trl"), Version(sys.argv[1])
    checks = dict.fromkeys(SETTINGS, supervised) | ({"preference": preferred} if version.files("preference") else {})
    for config, check in checks.items():
        with tempfile.TemporaryDirectory() as folder, report.trying(config):
            check(version, config, report, folder)
    report.close()
