"""The digest stage: reads texts once, so that everything behind it that compares documents reads numbers."""

import hashlib
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from filters import minhash
from filters.lists import as_lists, known_values, like
from filters.urls import host_of, page_identity
from filters.word_hashes import Hashes, Words, mixed, words_of
from pipelines.digest import lists
from pipelines.frame import fingerprints, tables
from pipelines.frame.engine import Engine
from pipelines.frame.stage import Job, Read, Stage
from pipelines.frame.storage import size_of
from pipelines.frame.task import Task
from schemas.recipe import Recipe
from schemas.statuses import StageName
from schemas.tables import DIGESTS, DOCUMENTS

_COLUMNS = ("doc_id", "url", "crawled_at", "texts", "images", "words", "language_score")
_MOST_WORDS = 1_000_000


class Digest(Stage):
    """digests from documents: hashes of URL, words, n-grams, paragraphs and image URLs; benchmarks and concepts."""

    name: ClassVar[StageName] = StageName.DIGEST
    reads: ClassVar[tuple[Read, ...]] = (Read(StageName.EXTRACT, "documents"),)
    writes: ClassVar[tuple[str, ...]] = ("digests",)

    def settings(self, recipe: Recipe) -> dict[str, Any]:
        """How texts are hashed, and what the lists that the recipe names hold."""
        text = recipe.dedup.text
        return {
            "near": text.near.model_dump(include={"ngram", "permutations", "bands"}) if text.near else None,
            "signature": minhash.signature_version() if text.near else None,
            "survivor": text.survivor,
            "min_words": text.paragraphs.min_words if text.paragraphs else None,
            "benchmarks": [[b.name, b.ngram, _content(b.texts)] for b in recipe.decontaminate if b.texts],
            "concepts": _content(recipe.balance.concepts) if recipe.balance else None,
        }

    def prepare(self, job: Job, engine: Engine) -> None:
        """Forget the lists of an earlier run in this process."""
        lists.forget()

    def process(self, task: Task, known: Sequence[Any]) -> None:
        """Batch by batch."""
        names = (*_COLUMNS, "alts") if task.recipe.balance else _COLUMNS
        with task.table(DIGESTS) as digests:
            for batch in tables.read_batches(task.workspace, DOCUMENTS, task.number, names):
                digests.write_batch(digests_of(batch, task.recipe))
                task.tally("documents").keep(batch.num_rows)


def _content(path: str) -> str:
    return fingerprints.of_input(path, size_of(path))


def digests_of(batch: pa.RecordBatch, recipe: Recipe) -> pa.RecordBatch:
    """Rows of `digests` for rows of `documents`."""
    texts, of_text = known_values(batch.column("texts"))
    sizes = np.bincount(of_text, minlength=batch.num_rows)
    words = words_of(texts.to_pylist())
    joined = words.joined(sizes)
    columns = {
        "doc_id": batch.column("doc_id"),
        "crawled": pc.fill_null(pc.cast(batch.column("crawled_at"), pa.int64()), 0),
        "quality": _quality(batch, recipe),
        "url": digests_of_strings([page_identity(url) for url in batch.column("url").to_pylist()]),
        "text": pa.array(joined.whole(), mask=joined.counts == 0),
        **_image_columns(batch),
        "bands": _bands(joined, recipe),
        "paragraphs": _paragraphs(batch, words, of_text, recipe),
        "benchmarks": _benchmarks(joined, recipe),
        "concepts": _concepts(batch, words, sizes, recipe),
    }
    schema = DIGESTS.schema
    arrays = [pc.cast(columns[name], schema.field(name).type) for name in schema.names]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def digests_of_strings(strings: Sequence[str]) -> npt.NDArray[np.uint64]:
    """64-bit digests of strings, the same on every machine."""
    digests = b"".join(hashlib.blake2b(s.encode("utf-8", "surrogatepass"), digest_size=8).digest() for s in strings)
    return np.frombuffer(digests, np.uint64)


def _quality(batch: pa.RecordBatch, recipe: Recipe) -> pa.Array:
    name = recipe.dedup.text.survivor
    if name == "images":
        return pa.array(np.bincount(known_values(batch.column("images"))[1], minlength=batch.num_rows))
    if name == "latest":
        return pc.fill_null(pc.cast(pc.cast(batch.column("crawled_at"), pa.int64()), pa.float64()), 0.0)
    if name == "quality":
        words = np.minimum(np.asarray(batch.column("words").fill_null(0), np.float64), _MOST_WORDS)
        sure = np.asarray(pc.fill_null(pc.cast(batch.column("language_score"), pa.float64()), 0.0))
        return pa.array(np.round(sure, 1) * 10 * (_MOST_WORDS + 1) + words)
    return pc.fill_null(pc.cast(batch.column(name), pa.float64()), 0.0)


def _image_columns(batch: pa.RecordBatch) -> dict[str, pa.Array]:
    urls, rows = known_values(batch.column("images"))
    digests = digests_of_strings(urls.to_pylist())
    order = np.lexsort((digests, rows))
    again = (digests[order][1:] == digests[order][:-1]) & (rows[order][1:] == rows[order][:-1])
    first = order[np.concatenate((np.ones(1, np.bool_), ~again))[: len(order)]]
    lengths = np.bincount(rows[first], minlength=batch.num_rows)
    is_image = np.asarray(pc.is_valid(pc.list_flatten(batch.column("images"))))
    by_node = np.zeros(len(is_image), np.uint64)
    by_node[is_image] = digests
    return {
        "images": like(batch.column("images"), pa.array(by_node, mask=~is_image)),
        "image_set": pa.array(Words(digests[first], lengths).whole(), mask=lengths == 0),
    }


def _bands(joined: Words, recipe: Recipe) -> pa.Array:
    near = recipe.dedup.text.near
    if near is None:
        return pa.array([[]] * len(joined.counts), pa.list_(pa.uint64()))
    bands, which = minhash.bands_of(joined.ngrams(near.ngram, short=True), near)
    lengths = np.zeros(len(joined.counts), np.int32)
    lengths[which] = near.bands
    return as_lists(lengths, pa.array(bands.ravel()))


def _paragraphs(batch: pa.RecordBatch, words: Words, of_text: npt.NDArray[np.int64], recipe: Recipe) -> pa.Array:
    """By node: digest of host and words, for texts of enough words."""
    settings = recipe.dedup.text.paragraphs
    is_text = np.asarray(pc.is_valid(pc.list_flatten(batch.column("texts"))))
    digests: Hashes = np.zeros(len(is_text), np.uint64)
    counted = np.zeros(len(is_text), np.bool_)
    if settings is not None and len(words.counts):
        hosts = digests_of_strings([host_of(url) for url in batch.column("url").to_pylist()])
        digests[is_text] = mixed(words.whole() + mixed(hosts[of_text]))
        counted[is_text] = words.counts >= settings.min_words
    return like(batch.column("texts"), pa.array(digests, mask=~counted))


def _benchmarks(joined: Words, recipe: Recipe) -> pa.Array:
    found: list[list[str]] = [[] for _ in joined.counts]
    for benchmark in recipe.decontaminate:
        if benchmark.texts:
            ngrams = lists.benchmark_ngrams(benchmark.texts, benchmark.ngram)
            for document in np.flatnonzero(ngrams.found_in(joined)).tolist():
                found[document].append(benchmark.name)
    return pa.array(found, pa.list_(pa.string()))


def _concepts(batch: pa.RecordBatch, words: Words, sizes: npt.NDArray[np.int64], recipe: Recipe) -> pa.Array:
    """Concepts in a document's texts and alternative texts; a phrase does not go over the border of two texts."""
    kind = pa.list_(pa.int32())
    if recipe.balance is None:
        return pa.array([[]] * batch.num_rows, kind)
    looked_for = lists.concepts(recipe.balance.concepts)
    in_texts = _by_document(looked_for.found_in(words), sizes.tolist())
    alts = [[alt for alt in row if alt] for row in batch.column("alts").to_pylist()]
    in_alts = _by_document(looked_for.found_in(words_of([a for row in alts for a in row])), [len(a) for a in alts])
    return pa.array([sorted(a | b) for a, b in zip(in_texts, in_alts, strict=True)], kind)


def _by_document(found: Sequence[Sequence[int]], sizes: Sequence[int]) -> list[set[int]]:
    some = iter(found)
    return [{concept for _ in range(size) for concept in next(some)} for size in sizes]
