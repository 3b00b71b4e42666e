"""Lists that a recipe names: texts of evaluation sets and concepts. Read once in a run, never part of a table."""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pyarrow.parquet as pq

from filters.phrases import Concepts, Ngrams, concepts_of, ngrams_of
from pipelines.frame.storage import lines_in, open_read

_JSON = re.compile(r"\.(?:jsonl|ndjson|json)(?:\.(?:gz|bz2|xz|zst))?$")


@cache
def benchmark_ngrams(path: str, n: int) -> Ngrams:
    """The n-grams of an evaluation set's texts."""
    return ngrams_of(texts_in(path), n)


@cache
def concepts(path: str) -> Concepts:
    """Concepts of a list, by line."""
    return concepts_of(lines_in(path))


def forget() -> None:
    """Read lists again when they are asked for: they may have changed since the last run in this process."""
    benchmark_ngrams.cache_clear()
    concepts.cache_clear()


def texts_in(path: str) -> Iterator[str]:
    """Every string of a file: columns of Parquet, values of JSON lines at any depth, else each line."""
    if path.endswith(".parquet"):
        with open_read(path) as file, pq.ParquetFile(file) as parquet:
            for batch in parquet.iter_batches(use_threads=False):
                yield from _strings(batch.to_pylist())
        return
    is_json = _JSON.search(path)
    for line in lines_in(path):
        yield from _strings(_value(line) if is_json else line)


def _value(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return line


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)
