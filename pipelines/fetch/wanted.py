"""Which images a partition's documents want: of documents that pass the screen and are no copies, on pages
that do not opt out.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from filters.nodes import Nodes
from filters.rules import first_reasons
from filters.screening import page_opts_out, screen, screen_columns
from filters.urls import host_of
from pipelines.frame import tables
from pipelines.frame.copies import taken_out
from pipelines.frame.storage import Workspace
from schemas.recipe import Recipe
from schemas.tables import DOCUMENTS


@dataclass
class Wanted:
    """Distinct image URLs with the first alternative text of each, and what became of the documents."""

    captions: dict[str, str | None] = field(default_factory=dict)
    documents_passed: int = 0
    documents_dropped: Counter[str] = field(default_factory=Counter)


def wanted_images(workspace: Workspace, partition: int, recipe: Recipe) -> Wanted:
    """What a partition wants; the same wherever it is asked."""
    wanted = Wanted()
    gone = taken_out(workspace, partition)
    columns = sorted({"doc_id", "images", "alts", "directives", *screen_columns(recipe)})
    for batch in tables.read_batches(workspace, DOCUMENTS, partition, columns):
        nodes = Nodes(batch)
        screening = screen(nodes, recipe)
        out = [gone.get(doc_id) for doc_id in batch.column("doc_id").to_pylist()]
        wanted.documents_dropped.update(first_reasons(screening.failures, np.ones(nodes.documents, np.bool_)))
        rows = batch.select(["images", "alts", "directives"]).to_pylist()
        for row, passes, why in zip(rows, screening.passed, out, strict=True):
            if passes and why is not None:
                wanted.documents_dropped[why.reason] += 1
                continue
            wanted.documents_passed += int(passes)
            if passes and not page_opts_out(row["directives"], recipe.fetch.consent):
                for url, alt in zip(row["images"], row["alts"], strict=True):
                    if url is not None and not wanted.captions.get(url):
                        wanted.captions[url] = alt
    return wanted


def hosts_of(wanted: Wanted) -> Iterator[tuple[str, int]]:
    """Hosts with the number of distinct URLs on each, sorted."""
    yield from sorted(Counter(map(host_of, wanted.captions)).items())
