"""TRL's SFTTrainer takes both configs, masks what it should and makes two steps."""

from __future__ import annotations

import math
import sys
import tempfile
from pathlib import Path

import tiny
from datasets import load_dataset
from published import Report, Version, differences, heard, shares, spans, taught, unheard
from trl import SFTConfig, SFTTrainer

TEMPLATE = Path(__file__).with_name("chatml.jinja")
SETTINGS = {"prompt_completion": {}, "chat": {"assistant_only_loss": True}}


def check(version: Version, config: str, report: Report, folder: str) -> None:
    """Labels of every row against what is published as trained, then two steps."""
    rows = {split: version.rows("chat", split) for split in ("train", "validation")}
    texts = [text for row in rows["train"] for text in heard(row) + taught(row)]
    tokenizer = tiny.tokenizer(texts, folder, TEMPLATE)
    sides = load_dataset(str(version.folder), config)
    trainer = SFTTrainer(
        model=tiny.model(len(tokenizer)),
        args=SFTConfig(
            output_dir=folder,
            max_steps=2,
            per_device_train_batch_size=2,
            max_length=None,
            use_cpu=True,
            bf16=False,
            report_to="none",
            save_strategy="no",
            logging_steps=1,
            disable_tqdm=True,
            **SETTINGS[config],
        ),
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
    loss = trainer.train().training_loss
    report.line(f"{config}: two steps", f"loss {loss:.3f}", [] if math.isfinite(loss) else ["the loss is not finite"])


if __name__ == "__main__":
    report = Report("trl")
    for config in SETTINGS:
        with tempfile.TemporaryDirectory() as folder, report.trying(config):
            check(Version(sys.argv[1]), config, report, folder)
    report.close()
