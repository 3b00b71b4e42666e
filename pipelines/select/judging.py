"""Judging a batch of documents: node and image rules first, then document rules on what these have kept."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from filters.nodes import Mask, Nodes
from filters.rules import NO_THRESHOLDS, Failure, Thresholds, as_json, evaluate, passed
from filters.screening import Screening, page_opts_out, screen
from pipelines.select.image_columns import FetchedImages, ImageColumns, opted_out
from pipelines.select.node_scores import NodeScores
from pipelines.select.removals import Removals
from schemas.recipe import Recipe, SelectRules
from schemas.statuses import DropReason, ImageStatus, Scope


@dataclass(frozen=True)
class Evidence:
    """All that the rules of `select` look at in a batch, and what was decided before them: the same for any such rules.

    `status` are the images that were not got; `removed` what dedup and balance took out, and documents that
    an earlier slice of their file has too.
    """

    nodes: Nodes
    images: Mapping[str, pa.Array]
    screening: Screening
    status: Failure
    removed: Mapping[Scope, list[Failure]]

    @property
    def fetched(self) -> Mask:
        """Image nodes that have an image."""
        return ~self.nodes.is_text & ~self.status.failed

    @cached_property
    def taking_part(self) -> Mask:
        """Documents that pass the screen and were not taken out."""
        return passed(self.removed[Scope.DOCUMENT], self.screening.passed)


@dataclass(frozen=True)
class Judgement:
    """Which rules each text, image and document of a batch fails, and by which values."""

    evidence: Evidence
    failures: Mapping[Scope, list[Failure]]
    columns: Mapping[Scope, Mapping[str, pa.Array]]

    @property
    def nodes(self) -> Nodes:
        """The batch's nodes."""
        return self.evidence.nodes

    def items(self, scope: Scope) -> Mask:
        """What a scope's rules judge: text nodes, image nodes or documents."""
        if scope is Scope.DOCUMENT:
            return np.ones(self.nodes.documents, np.bool_)
        return self.nodes.is_text if scope is Scope.NODE else ~self.nodes.is_text

    def candidates(self, scope: Scope) -> Mask:
        """Items that the rules decide about: not in a document that is a duplicate or fails the screen."""
        documents = self.evidence.taking_part
        return documents if scope is Scope.DOCUMENT else self.items(scope) & documents[self.nodes.document]

    @cached_property
    def document_kept(self) -> Mask:
        """Documents that fail nothing."""
        return passed(self.failures[Scope.DOCUMENT], self.items(Scope.DOCUMENT))

    @cached_property
    def node_survives(self) -> Mask:
        """Nodes that fail nothing, in documents that are kept."""
        return _kept_nodes(self.nodes, self.failures) & self.document_kept[self.nodes.document]


def gather(
    batch: pa.RecordBatch,
    images: FetchedImages,
    scores: NodeScores,
    seen: frozenset[str],
    removed: Removals,
    recipe: Recipe,
) -> Evidence:
    """The evidence of a batch; documents whose id was `seen` before are duplicates."""
    nodes, ids = Nodes(batch), batch.column("doc_id")
    screening = screen(nodes, recipe)
    columns = ImageColumns.of(nodes, images, scores).signals()
    documents = [_duplicate_failure(batch, seen), *removed.of_documents(ids)]
    asked_for = passed(documents[1:], screening.passed)
    status = _status_failure(batch, nodes, columns, asked_for, recipe)
    failures = {
        Scope.DOCUMENT: documents,
        Scope.NODE: removed.of_texts(ids, nodes),
        Scope.IMAGE: [status, *removed.of_images(nodes, images, ~nodes.is_text & ~status.failed)],
    }
    return Evidence(nodes, columns, screening, status, failures)


def judge(evidence: Evidence, rules: SelectRules, thresholds: Thresholds = NO_THRESHOLDS) -> Judgement:
    """Apply rules. A keep_top without a threshold is left out: so is found of which items the top is to be kept."""
    nodes, removed = evidence.nodes, evidence.removed
    columns: dict[Scope, Mapping[str, pa.Array]] = {Scope.NODE: nodes.text_columns(), Scope.IMAGE: evidence.images}
    failures = {
        Scope.NODE: [
            *removed[Scope.NODE],
            *evaluate(rules.node, Scope.NODE, columns[Scope.NODE], nodes.is_text, thresholds),
        ],
        Scope.IMAGE: [
            *removed[Scope.IMAGE],
            *evaluate(rules.image, Scope.IMAGE, evidence.images, evidence.fetched, thresholds),
        ],
    }
    columns[Scope.DOCUMENT] = nodes.document_columns(_kept_nodes(nodes, failures))
    failures[Scope.DOCUMENT] = [
        *(replace(f, rule=f"screen.{f.rule}") for f in evidence.screening.failures),
        *removed[Scope.DOCUMENT],
        *evaluate(rules.document, Scope.DOCUMENT, columns[Scope.DOCUMENT], evidence.taking_part, thresholds),
    ]
    return Judgement(evidence, failures, columns)


def _kept_nodes(nodes: Nodes, failures: Mapping[Scope, list[Failure]]) -> Mask:
    both = [*failures[Scope.NODE], *failures[Scope.IMAGE]]
    return passed(both, np.ones(len(nodes.document), np.bool_))


def _status_failure(
    batch: pa.RecordBatch, nodes: Nodes, columns: Mapping[str, pa.Array], asked_for: Mask, recipe: Recipe
) -> Failure:
    """Images that were not got, as a failed rule of its own."""
    pages = [page_opts_out(said, recipe.fetch.consent) for said in batch.column("directives").to_pylist()]
    missing = np.asarray(pc.equal(columns["status"], ImageStatus.NOT_REQUESTED.value))
    by_page = opted_out(nodes, pages) & missing
    status = pc.if_else(pa.array(by_page), ImageStatus.PAGE_OPTED_OUT.value, columns["status"])
    failed = ~nodes.is_text & np.asarray(pc.not_equal(status, ImageStatus.OK.value))
    failed &= asked_for[nodes.document]  # of the others no image was asked for
    return Failure(DropReason.IMAGE_STATUS, as_json(ImageStatus.OK.value), failed, status, ~nodes.is_text)


def _duplicate_failure(batch: pa.RecordBatch, seen: frozenset[str]) -> Failure:
    """Documents that an earlier slice of the file has too."""
    ids = batch.column("doc_id")
    again = np.asarray(pc.is_in(ids, pa.array(sorted(seen), pa.string())))
    everything = np.ones(len(again), np.bool_)
    return Failure(DropReason.DUPLICATE_RECORD, as_json("once in a file"), again, ids, everything)
