"""`croissant.json`: the version as MLCommons Croissant 1.0 describes a dataset, for catalogues and loaders.

Every Parquet file with its sha256, and for each config a record set of all its files with the side of each row.
Turns, scores and stamps are fields with sub-fields; what is nested deeper (tool calls, parents) stays in the Parquet.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from tasks.publish.version import CONFIGS, SIDES

OWN = "column data dataType examples extract field fileProperty fileObject fileSet format includes isLiveDataset"
OWN += " citeAs containedIn equivalentProperty jsonPath key md5 parentField path recordSet references regex repeated"
OWN += " replace samplingRate separator source subField transform"
CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    **{word: f"cr:{word}" for word in OWN.split()},
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
}
FORMAT = "application/x-parquet"
Plain = dict[str, Any]


def croissant(manifest: Plain) -> Plain:
    """The description of the version that a manifest names."""
    files = manifest["files"]
    there = [c for c in CONFIGS if any(f["config"] == c for f in files)]
    what = f"{manifest['counts']['total']} conversations for supervised fine-tuning"
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": manifest["name"],
        "description": f"{what}, answered by {', '.join(manifest['teachers'])}.",
        "version": manifest["version"],
        "datePublished": manifest["as_of"],
        "license": manifest["license"],
        "inLanguage": manifest["languages"],
        "distribution": [*map(file_object, files), *(file_set(c, files) for c in there)],
        "recordSet": [record_set(c) for c in there],
    }


def file_object(file: Plain) -> Plain:
    named = {"@id": file["path"], "name": file["path"], "contentUrl": file["path"], "encodingFormat": FORMAT}
    return {"@type": "cr:FileObject", **named, "contentSize": f"{file['bytes']} B", "sha256": file["sha256"]}


def file_set(config: str, files: list[Plain]) -> Plain:
    inside = [{"@id": f["path"]} for f in files if f["config"] == config]
    named = {"@id": f"{config}-files", "name": f"{config}-files", "encodingFormat": FORMAT}
    return {"@type": "cr:FileSet", **named, "containedIn": inside, "includes": f"data/{config}/*.parquet"}


def record_set(config: str) -> Plain:
    source = {"fileSet": {"@id": f"{config}-files"}}
    side = source | {"extract": {"fileProperty": "filename"}, "transform": {"regex": f"^({'|'.join(SIDES)})-.*$"}}
    split = {"@type": "cr:Field", "@id": f"{config}/split", "name": "split", "dataType": "sc:Text", "source": side}
    columns = [column(config, field, source) for field in CONFIGS[config]]
    key = {} if config == "preference" else {"key": {"@id": f"{config}/row_id"}}  # a row may have several rejected
    return {"@type": "cr:RecordSet", "@id": config, "name": config} | key | {"field": [split, *columns]}


def column(config: str, field: pa.Field, source: Plain) -> Plain:
    """A column; of one that holds structs, its members that hold a single value."""
    many = pa.types.is_list(field.type)
    kind = field.type.value_type if many else field.type
    plain = {"@type": "cr:Field", "@id": f"{config}/{field.name}", "name": field.name}
    plain |= {"repeated": True} if many else {}
    taken = source | {"extract": {"column": field.name}}
    if not pa.types.is_struct(kind):
        return plain | {"dataType": of(kind), "source": taken}
    parts = [
        {"@type": "cr:Field", "@id": f"{config}/{field.name}/{part.name}", "name": part.name, "dataType": of(part.type)}
        | {"source": taken | {"transform": {"jsonPath": part.name}}}
        for part in kind
        if not pa.types.is_nested(part.type)
    ]
    return plain | {"subField": parts}


def of(kind: pa.DataType) -> str:
    if pa.types.is_boolean(kind):
        return "sc:Boolean"
    return "sc:Integer" if pa.types.is_integer(kind) else "sc:Float" if pa.types.is_floating(kind) else "sc:Text"
