"""What deduplication of texts finds, how fast, and how it grows, on corpora with known copies.

    python benchmarks/dedup.py recall DOCUMENTS
    uv run --with datasketch --with 'datatrove[processing]' --with spacy --with xxhash \\
        python benchmarks/dedup.py speed DOCUMENTS
    python benchmarks/dedup.py scale DOCUMENTS --documents 10000,100000,1000000

DOCUMENTS is a folder of `documents` tables, such as OUT/documents of a job: texts are cut from them. Stages run as in a
job, from tables to tables. Memory is read from /proc, so `scale` needs Linux.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

os.environ.setdefault("RAYON_NUM_THREADS", "1")  # signatures are made by Rust threads: one core means one

import numpy as np
from dedup_scale import measure_scale
from planted import Sentences, copy_of, jaccard, read_texts, stretches
from planted_job import doc_id, nodes_of, run, write_job
from tqdm import tqdm

from filters.minhash import recall
from pipelines.dedup_text.near import CANDIDATES, EDGES
from pipelines.dedup_text.pool import Pool, partition_of, row_of
from pipelines.dedup_text.stage import DedupText
from pipelines.digest.stage import Digest
from pipelines.frame import tables
from pipelines.frame.exchange import columns
from pipelines.frame.stage import Job
from schemas.recipe import DedupSettings, NearSettings, Recipe, TextDuplicates
from schemas.tables import TEXT_DUPLICATES

NEAR = NearSettings()
COPIES_ONLY = Recipe(dedup=DedupSettings(text=TextDuplicates(exact=True, near=NEAR)))
GOAL = 0.85
Pair = tuple[int, int]


# --- corpora


@dataclass
class Corpus:
    """Documents by number, and the similarity of every pair that was planted."""

    texts: list[str] = field(default_factory=list)
    planted: dict[Pair, float] = field(default_factory=dict)


def plant(texts: list[str], copies: int, distractors: int, seed: int = 0, most: int | None = None) -> Corpus:
    """From each stretch of the texts so many copies, similarities even from 0.5 to 1, shuffled among distractors."""
    rng = np.random.default_rng(seed)
    sentences = Sentences.of(texts, 0.0)
    vocabulary = sorted({token for text in texts for token in text.split()})
    families = []
    for base in tqdm([*stretches(texts, (100, 2000), rng)][:most], "planting", disable=None):
        families.append([base, *(copy_of(base, rng.uniform(0.5, 1.02), vocabulary, rng) for _ in range(copies))])
    others = sentences.documents(np.arange(distractors, dtype=np.uint64), distractors)
    return _shuffled(families, ["\n".join(nodes) for nodes in others], rng)


def _shuffled(families: list[list[str]], others: list[str], rng: np.random.Generator) -> Corpus:
    count = sum(map(len, families)) + len(others)
    numbers = iter(rng.permutation(count).tolist())
    corpus = Corpus([""] * count)
    for family in families:
        placed = {next(numbers): text for text in family}
        for left, right in combinations(sorted(placed), 2):
            corpus.planted[left, right] = jaccard(placed[left], placed[right], NEAR.ngram)
        for number, text in placed.items():
            corpus.texts[number] = text
    for number, text in zip(numbers, others, strict=True):
        corpus.texts[number] = text
    return corpus


def in_partitions(documents: Iterable[Any], size: int) -> Iterator[tuple[int, list[Any]]]:
    """Documents by the number of each partition's first."""
    held = list(documents)
    yield from ((begin, held[begin : begin + size]) for begin in range(0, len(held), size))


# --- running


class KeptExchanges(DedupText):
    """The stage, but that what its exchanges left is still there."""

    def clean_up(self, job: Job) -> None:
        """Leave it."""


@dataclass
class Found:
    """What was found, by document numbers: candidate pairs, edges, root of each copy's component, survivors."""

    candidates: set[Pair]
    edges: set[Pair]
    roots: dict[int, int]
    survivors: set[Pair]

    def connected(self, pair: Pair) -> bool:
        """Whether both are in one component."""
        left, right = (self.roots.get(number, -number - 1) for number in pair)
        return left == right


def find(corpus: Corpus, recipe: Recipe, root: Path, partition: int) -> Found:
    """Run both stages on a corpus and read what the second's exchanges left."""
    job = write_job(root, recipe, in_partitions(map(nodes_of, corpus.texts), partition))
    run(Digest(), job)
    run(KeptExchanges(), job)
    pool = Pool(job.workspace.root, recipe)

    def numbers(step: str) -> list[list[int]]:
        values = [pool.scratch.arrays(step, key)[:2] for key in pool.scratch.keys(step)]
        return [
            (partition_of(a) * np.uint64(partition) + row_of(a).astype(np.uint64)).tolist() for a in columns(values)
        ]

    candidates, edges, labels = ([*zip(*numbers(step), strict=True)] for step in (CANDIDATES, EDGES, "labels"))
    by_id = {doc_id(number): number for number in range(len(corpus.texts))}
    return Found(_ordered(candidates), _ordered(edges), dict(labels), set(_survivors(job, by_id)))


def _ordered(found: Iterable[Pair]) -> set[Pair]:
    return {(min(pair), max(pair)) for pair in found}


# --- recall


def measure_recall(texts: list[str], scratch: Path) -> None:
    """Pairs with one copy each, where theory holds for each pair, then families, where copies find one another."""
    for name, copies in (("pairs: one copy of each text", 1), ("families: eight copies of each text", 8)):
        corpus = plant(texts, copies, 5000, most=None if copies == 1 else 400)
        found = find(corpus, COPIES_ONLY, scratch / f"recall-{copies}", 2000)
        print(f"\n{name}; {len(corpus.texts):,} documents")
        _print_curve(corpus, found)
        _print_precision(corpus, found)


def _print_curve(corpus: Corpus, found: Found) -> None:
    print(f"{'Jaccard':>13} {'planted':>8} {'theory':>8} {'candidates':>11} {'edges':>8} {'connected':>10}")
    bounds = [*np.arange(0.5, 1, 0.05).round(2).tolist(), 1.0, 2.0]
    for low, high in [*pairwise(bounds), (NEAR.jaccard, 2.0), (GOAL, 2.0)]:
        pairs = [pair for pair, similarity in corpus.planted.items() if low <= similarity < high]
        if pairs:
            theory = np.mean([recall(corpus.planted[pair], NEAR) for pair in pairs])
            shares = [sum(pair in some for pair in pairs) / len(pairs) for some in (found.candidates, found.edges)]
            connected = sum(map(found.connected, pairs)) / len(pairs)
            bin_name = f"[{low:.2f}, {high:.2f})" if high < 2 else f">= {low:.2f}"
            print(f"{bin_name:>13} {len(pairs):8,} {theory:8.4f} {shares[0]:11.4f} {shares[1]:8.4f} {connected:10.4f}")


def _print_precision(corpus: Corpus, found: Found) -> None:
    """Of edges, of copies with their survivors, and of all pairs inside components; by exact similarity."""
    by_root: dict[int, list[int]] = {}
    for number, root in sorted(found.roots.items()):
        by_root.setdefault(root, []).append(number)
    together = {pair for members in by_root.values() for pair in combinations(members, 2)}
    for name, some in (("edges", found.edges), ("survivors", _ordered(found.survivors)), ("components", together)):
        exact = {
            p: corpus.planted[p] if p in corpus.planted else jaccard(corpus.texts[p[0]], corpus.texts[p[1]], NEAR.ngram)
            for p in some
        }
        right = sum(similarity >= NEAR.jaccard for similarity in exact.values())
        never = [p for p in some if p not in corpus.planted]
        unlike = sum(exact[p] < NEAR.jaccard for p in never)
        print(
            f"precision of {name:10} {right / max(len(some), 1):.4f}: {len(some):,} pairs, {len(some) - right} of them "
            f"below {NEAR.jaccard} (least {min(exact.values(), default=1):.3f}); "
            f"{len(never)} never planted, {unlike} of these below"
        )


# --- speed


def measure_speed(texts: list[str], scratch: Path, documents: int) -> None:
    """Ours and peers on the same documents, one after another in this process; CPU seconds of all threads."""
    from dedup_peers import PEERS

    corpus = plant(texts, 1, documents, most=documents // 5)
    corpus_texts = corpus.texts
    alike = [pair for pair, similarity in corpus.planted.items() if similarity >= GOAL]
    print(f"{len(corpus_texts):,} documents, {sum(len(t.split()) for t in corpus_texts):,} words, {len(alike):,} alike")
    rates: dict[str, float] = {}
    for name, prepare in {"curate": _ours, **PEERS}.items():
        prepare(corpus_texts[:500], scratch / "warm" / name, NEAR)()  # imports, models and caches
        work = prepare(corpus_texts, scratch / "speed" / name, NEAR)
        clock, cpu = time.perf_counter(), time.process_time()
        roots = work()
        clock, cpu = time.perf_counter() - clock, time.process_time() - cpu
        rates[name] = len(corpus_texts) / cpu
        share = sum(map(Found(set(), set(), roots, set()).connected, alike)) / len(alike)
        print(
            f"{name:27} {rates[name]:7,.0f} documents/s of CPU ({cpu:.1f} s, {clock:.1f} s by the clock), ours is "
            f"{rates['curate'] / rates[name]:5.2f}x; recall at {GOAL}: {share:.4f}, "
            f"{len(roots) - len(set(roots.values())):,} copies"
        )


def _ours(texts: list[str], scratch: Path, near: NearSettings) -> Callable[[], dict[int, int]]:
    """From tables of documents to tables of copies."""
    job = write_job(scratch, COPIES_ONLY, in_partitions(map(nodes_of, texts), 2000))
    by_id = {doc_id(number): number for number in range(len(texts))}

    def work() -> dict[int, int]:
        run(Digest(), job)
        run(DedupText(), job)
        roots: dict[int, int] = {}
        for copy, survivor in _survivors(job, by_id):
            roots[copy] = roots[survivor] = survivor
        return roots

    return work


def _survivors(job: Job, by_id: dict[str, int]) -> Iterator[Pair]:
    for slice_ in job.partitions:
        rows = tables.read_table(job.workspace, TEXT_DUPLICATES, slice_.partition, ["doc_id", "survivor"])
        yield from ((by_id[row["doc_id"]], by_id[row["survivor"]]) for row in rows.to_pylist())


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("recall", "speed", "scale"))
    parser.add_argument("folder", type=Path, help="of `documents` tables")
    parser.add_argument("--documents", default="10000", help="of speed: distractors; of scale: sizes, with commas")
    parser.add_argument("--workers", type=int, default=2, help="of scale")
    given = parser.parse_args()
    texts, sizes = read_texts(given.folder), [int(size) for size in given.documents.split(",")]
    with tempfile.TemporaryDirectory() as name:
        if given.what == "recall":
            measure_recall(texts, Path(name))
        elif given.what == "speed":
            measure_speed(texts, Path(name), sizes[0])
        else:
            measure_scale(texts, Path(name), sizes, given.workers)


if __name__ == "__main__":
    main()
