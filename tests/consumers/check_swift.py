"""ms-swift's own loader and template take its export, with `loss` turn by turn."""

from __future__ import annotations

import sys
import tempfile

import tiny
from published import Report, Version, heard, in_order, shares, spans, taught, unheard
from swift.dataset import EncodePreprocessor, load_dataset
from swift.model import get_processor
from swift.template import get_template


def check(version: Version, split: str, report: Report, folder: str) -> None:
    """Labels of every row against the turns that are published as trained."""
    rows = version.rows("chat", split)
    tiny.tokenizer((text for row in rows for text in heard(row) + taught(row)), folder)
    processor = get_processor(folder, model_type="qwen2", download_model=False)
    template = get_template(processor, template_type="qwen", agent_template="hermes", max_length=tiny.LENGTH)
    template.set_mode("train")
    loaded, _ = load_dataset([str(version.exports("swift")[split])], load_from_cache_file=False, strict=True)
    made = EncodePreprocessor(template)(loaded, load_from_cache_file=False, strict=True)
    labels = [m["labels"] for m in made]
    trained = [spans(processor, m["input_ids"], m["labels"]) for m in made]
    found, faults = in_order([(row, taught(row)) for row in rows], trained, version.left_out("swift"))
    faults = faults or unheard(found, [processor.decode(m["input_ids"]) for m in made])
    report.line(split, f"{len(labels)} rows, {shares(labels)}", faults)


if __name__ == "__main__":
    report, version = Report("swift"), Version(sys.argv[1])
    for split in version.exports("swift"):
        with tempfile.TemporaryDirectory() as folder, report.trying(split):
            check(version, split, report, folder)
    report.close()
