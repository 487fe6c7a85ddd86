"""`mlcroissant` finds no fault with `croissant.json` and reads each record set through it."""

from __future__ import annotations

import sys

import mlcroissant
from published import Report, Version, differences


def check(version: Version, report: Report) -> None:
    described = mlcroissant.Dataset(jsonld=str(version.folder / "croissant.json"))
    issues = described.metadata.ctx.issues
    facts = f"{len(described.metadata.record_sets)} record sets, {len(issues.warnings)} recommendations"
    report.line("croissant.json", facts, [*issues.errors])
    for records in described.metadata.record_sets:
        with report.trying(records.name):
            config = records.name
            read = sum(1 for _ in described.records(record_set=records.id))
            kept = sum(f["rows"] for files in version.files(config).values() for f in files)
            report.line(config, f"{read} rows", differences("rows", [read], [kept]))


if __name__ == "__main__":
    report = Report("croissant")
    with report.trying("croissant.json"):
        check(Version(sys.argv[1]), report)
    report.close()
