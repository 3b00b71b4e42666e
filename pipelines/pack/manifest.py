"""The manifest and the dataset card of a job's shards, from the ledger alone: no time, no path of a machine."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipelines.frame.storage import Workspace, file_name
from schemas.ledger import LedgerRecord, Output
from schemas.recipe import Recipe

MANIFEST, CARD = "shards/manifest.json", "shards/README.md"
_VERSION = 1
_COUNTED = ("samples", "texts", "images")
_PART = "part:"
REPLACED = "replaced:"


def shard_outputs(records: Mapping[int, LedgerRecord]) -> list[Output]:
    """Shards of all partitions in their order."""
    return [output for _, record in sorted(records.items()) for output in record.outputs]


def manifest(recipe: Recipe, outputs: Sequence[Output]) -> dict[str, Any]:
    """What lies in the shards folder: per shard its counts, bytes and SHA-256, and their totals."""
    shards: list[dict[str, Any]] = [
        {
            "name": file_name(output.path),
            **{name: output.counts.get(name, 0) for name in _COUNTED},
            "bytes": output.bytes,
            "sha256": output.sha256,
        }
        for output in outputs
    ]
    totals = {name: sum(shard[name] for shard in shards) for name in (*_COUNTED, "bytes")}
    described = {"version": _VERSION, "recipe": recipe.name, "totals": {"shards": len(shards), **totals}}
    return {**described, **_replaced(recipe, outputs), "shards": shards}


def _replaced(recipe: Recipe, outputs: Sequence[Output]) -> dict[str, dict[str, int]]:
    """How often a placeholder took the place of personal data, by kind; nothing where the recipe replaces none."""
    kinds = recipe.pack.pii.placeholders if recipe.pack.pii else {}
    counts = {kind: sum(output.counts.get(f"{REPLACED}{kind}", 0) for output in outputs) for kind in kinds}
    return {"replaced": counts} if counts else {}


def parts(outputs: Iterable[Output]) -> list[str]:
    """Every image part that occurs in a sample, such as 00.jpg: what loaders with fixed columns have to know."""
    return sorted({name.removeprefix(_PART) for o in outputs for name in o.counts if name.startswith(_PART)})


def write(workspace: Workspace, recipe: Recipe, records: Mapping[int, LedgerRecord]) -> None:
    """Write manifest and card, and remove shards that the job no longer has. Nothing is touched that is right."""
    outputs = shard_outputs(records)
    described = manifest(recipe, outputs)
    known = {output.path for output in outputs} | {MANIFEST, CARD}
    for name in workspace.list("shards"):
        if name not in known and name.endswith(".tar"):
            workspace.remove(name)
    _write_if_changed(workspace, MANIFEST, json.dumps(described, indent=1) + "\n")
    _write_if_changed(workspace, CARD, card(described, parts(outputs), recipe))


def _write_if_changed(workspace: Workspace, name: str, text: str) -> None:
    if not workspace.exists(name) or workspace.read_text(name) != text:
        workspace.write_text(name, text)


def card(described: Mapping[str, Any], image_parts: list[str], recipe: Recipe) -> str:
    """A dataset card: what is in the shards and how to read them with the usual loaders."""
    totals = described["totals"]
    features = "\n".join(f'    "{part}": Image(),' for part in image_parts)
    return _CARD.format(
        recipe=recipe.name,
        description=recipe.description.strip() or "Made by `curate`.",
        **totals,
        size=f"{totals['bytes'] / 1e6:,.1f}",
        features=features,
        replaced=_replaced_note(described.get("replaced", {})),
    )


def _replaced_note(counts: Mapping[str, int]) -> str:
    if not counts:
        return ""
    listed = ", ".join(f"{kind} {count:,}" for kind, count in counts.items())
    return f"\nPersonal data that was found in texts and metadata has given way to placeholders: {listed}.\n"


_CARD = """---
task_categories: [image-text-to-text]
tags: [interleaved, webdataset, common-crawl]
---

# Interleaved image-text documents

Recipe `{recipe}`. {description}

| shards | documents | texts | images | MB |
|---|---|---|---|---|
| {shards:,} | {samples:,} | {texts:,} | {images:,} | {size} |
{replaced}
A sample is `KEY.json` and its images `KEY.00.jpg`, `KEY.01.png` … The JSON holds `texts` and `images`, lists of equal
length in the order of the page: at each position exactly one of both is not null, and `images` names the part.
`image_members` has the full member names, `metadata` (aligned with `images`) each picture's source, SHA-256, size,
alternative text and caption, `general_metadata` the page. `manifest.json` has the SHA-256 of every shard.

## Reading

```python
import curate

for document in curate.load("shards"):
    print(document.key, document.texts, document.images)
```

```python
import webdataset as wds

samples = wds.WebDataset("shards/{{00000..00000}}-000.tar", shardshuffle=False).decode("pil")
```

```python
from datasets import Features, Image, Value, load_dataset  # every part has to be named, or images are lost silently

features = Features({{
    "__key__": Value("string"),
    "__url__": Value("string"),
    "json": Value("binary"),
{features}
}})
```

The pictures and texts belong to their authors; `general_metadata.url` and `metadata.url` say where they came from.
"""
