"""Jobs whose documents and images are written by a test, for the stages that compare them: no crawl, no network."""

import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Unpack

import pyarrow as pa

from filters.word_hashes import words_of
from pipelines.balance.stage import Balance
from pipelines.dedup_images.stage import DedupImages
from pipelines.dedup_text.stage import DedupText
from pipelines.digest.stage import Digest
from pipelines.frame import fingerprints, ledger, partitions, tables
from pipelines.frame.engine import Engine
from pipelines.frame.engines.local import LocalEngine
from pipelines.frame.partitions import Partition
from pipelines.frame.run import plan_stage, run_stage
from pipelines.frame.stage import Job, Stage
from pipelines.frame.storage import Workspace
from schemas.ledger import LedgerRecord, Output, Tally
from schemas.recipe import Recipe
from schemas.tables import DOCUMENTS, IMAGES, TEXT_DUPLICATES, Table
from tests.recipe_parts import RecipeParts

BEGAN = datetime(2024, 1, 1, tzinfo=UTC)
_VOCABULARY = [
    f"{a}{b}{c}" for a in ("bar", "ten", "sil", "mo", "ga") for b in "aeiou" for c in ("ling", "rost", "ven")
]


def prose(seed: object, words: int = 120) -> str:
    """So many words that no other seed's text has in this order."""
    return " ".join(random.Random(str(seed)).choices(_VOCABULARY, k=words))


def edited(text: str, changes: int) -> str:
    """The text with so many words replaced, far from one another; each takes five 5-grams."""
    words = text.split()
    step = len(words) // (changes + 1)
    for place in range(step, step * changes + 1, step):
        words[place] = f"changed{place}"
    return " ".join(words)


def jaccard(one: str, other: str, n: int = 5) -> float:
    """Similarity of the sets of n-grams of two texts."""
    sets = [set(words_of([text]).ngrams(n, short=True).hashes.tolist()) for text in (one, other)]
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


@dataclass(frozen=True)
class Shown:
    """An image node."""

    url: str
    alt: str = ""


@dataclass(frozen=True)
class Page:
    """A capture of a page: texts and images in their order, taken so many days after the crawl began."""

    url: str
    nodes: Sequence[str | Shown]
    day: int | None = 0
    score: float | None = 0.95
    language: str | None = "en"
    identity: str = ""

    @property
    def doc_id(self) -> str:
        return hashlib.md5(f"{self.identity or self.url} {self.day}".encode(), usedforsecurity=False).hexdigest()

    @property
    def row(self) -> dict[str, Any]:
        lists: dict[str, Any] = {f.name: [None] * len(self.nodes) for f in DOCUMENTS.schema if pa.types.is_list(f.type)}
        counts = [len(node.split()) if isinstance(node, str) else None for node in self.nodes]
        return {
            **lists,
            "doc_id": self.doc_id, "url": self.url, "warc_path": "/in/a", "warc_offset": 0, "directives": [],
            "licenses": [], "crawled_at": None if self.day is None else BEGAN + timedelta(days=self.day),
            "language": self.language, "language_score": self.score, "words": sum(n or 0 for n in counts),
            "texts": [node if isinstance(node, str) else None for node in self.nodes],
            "images": [node.url if isinstance(node, Shown) else None for node in self.nodes],
            "alts": [node.alt if isinstance(node, Shown) else None for node in self.nodes],
            "node_words": counts, "node_characters": [None if n is None else 6 * n for n in counts],
        }  # fmt: skip


@dataclass(frozen=True)
class Got:
    """A fetched image: what its file is, how it looks, how large it is."""

    file: str
    phash: int
    size: tuple[int, int] = (400, 300)

    def row(self, url: str) -> dict[str, Any]:
        return {
            "key": "0", "url": url, "url_hash": hashlib.sha256(url.encode()).hexdigest()[:32], "status": "ok",
            "sha256": hashlib.sha256(self.file.encode()).hexdigest(), "phash": f"{self.phash:016x}",
            "width": self.size[0], "height": self.size[1], "format": "jpeg",
        }  # fmt: skip


def a_job(
    root: Path,
    pages: Sequence[Page],
    cuts: Sequence[int] = (),
    images: Mapping[str, Got] | None = None,
    *,
    own_files: bool = False,
    **recipe: Unpack[RecipeParts],
) -> Job:
    """A job over pages that are cut into partitions before the pages of these numbers; `images` were fetched.

    Partitions are slices of one file, or with `own_files` a file each.
    """
    workspace, bounds, got = Workspace(str(root)), [0, *cuts, len(pages)], images or {}
    planned = []
    for number, (start, end) in enumerate(pairwise(bounds)):
        planned.append(Partition(number, f"/in/{number if own_files else 0:05d}.warc", start, end, len(pages), "d"))
        part = pages[start:end]
        shown = sorted({node.url for page in part for node in page.nodes if isinstance(node, Shown)} & got.keys())
        _write(workspace, "extract", number, DOCUMENTS, [page.row for page in part], "documents")
        _write(workspace, "fetch", number, IMAGES, [got[url].row(url) for url in shown], "images")
    partitions.save(workspace, planned)
    return Job(workspace, Recipe.model_validate(recipe), tuple(planned))


def _write(workspace: Workspace, stage: str, number: int, table: Table, rows: list[dict[str, Any]], items: str) -> None:
    name = tables.name_of(table, number)
    with workspace.staged(name) as path:
        writer = tables.TableWriter(table, path)
        writer.write_rows(rows)
        writer.close()
        output = Output(path=name, bytes=0, sha256=fingerprints.of_file(path))
    tally = Tally()
    tally.keep(len(rows))
    record = LedgerRecord(stage=stage, partition=number, fingerprint="", outputs=[output], tallies={items: tally})
    ledger.write(workspace, record)


def find_copies(job: Job, *stages: type[Stage], engine: Engine | None = None) -> Job:
    """Run stages, by default those that compare texts; what is outdated of them."""
    for stage in stages or (Digest, DedupText):
        run_stage(plan_stage(stage(), job), job, engine or LocalEngine(1))
        assert not [p for p in Path(job.workspace.root).glob("scratch/**/*") if p.is_file()], "scratch is left"
    return job


def find_copies_of_images(job: Job, engine: Engine | None = None) -> Job:
    """Run everything up to the stage that compares pictures."""
    return find_copies(job, Digest, DedupText, Balance, DedupImages, engine=engine)


def rows(job: Job, table: Table = TEXT_DUPLICATES) -> list[dict[str, Any]]:
    """Rows of all partitions one after another."""
    return [row for p in job.partitions for row in tables.read_table(job.workspace, table, p.partition).to_pylist()]


Copies = set[tuple[str, int, str, str | None]]


def copies(job: Job, pages: Sequence[Page]) -> Copies:
    """What was found: (URL and day of the copy, position, kind, the survivor's)."""
    names = {page.doc_id: f"{page.url} {page.day}" for page in pages}
    found = [
        (names[row["doc_id"]], row["position"], row["kind"], names.get(row["survivor"], row["survivor"]))
        for row in rows(job)
    ]
    assert len(set(found)) == len(found), "a copy was found twice"
    return set(found)
