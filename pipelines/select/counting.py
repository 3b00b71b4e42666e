"""What a judgement comes to in numbers: tallies by first reason, and what each rule did."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from filters.attribution import RuleCounts, added, count_rules
from filters.nodes import Mask
from filters.rules import Failure, first_reasons, passed
from pipelines.select.judging import Judgement
from schemas.ledger import Tally
from schemas.statuses import DropReason, Scope

# By the scope of the list: the rules of a list judge the same items, and come one after another.
RulesByScope = Mapping[Scope, Sequence[RuleCounts]]


@dataclass
class Counts:
    """What became of documents, texts and images: each kept, or counted under its first reason; and the rules."""

    documents: Tally = field(default_factory=Tally)
    texts: Tally = field(default_factory=Tally)
    images: Tally = field(default_factory=Tally)
    rules: RulesByScope = field(default_factory=dict)

    def add(self, judged: Judgement) -> None:
        """Count a batch."""
        documents = judged.failures[Scope.DOCUMENT]
        _count(self.documents, documents, judged.items(Scope.DOCUMENT))
        for tally, scope in ((self.texts, Scope.NODE), (self.images, Scope.IMAGE)):
            _count_nodes(tally, judged.failures[scope], judged.items(scope), judged.node_survives)
        of_batch = {
            scope: count_rules(failures, judged.items(scope), judged.candidates(scope))
            for scope, failures in judged.failures.items()
        }
        self.rules = added_by_scope([self.rules, of_batch]) if self.rules else of_batch


def added_by_scope(parts: Sequence[RulesByScope]) -> RulesByScope:
    """What the same rules did in several batches or partitions together."""
    return {scope: added([part[scope] for part in parts]) for scope in parts[0]} if parts else {}


def _count(tally: Tally, failures: Sequence[Failure], among: Mask) -> None:
    tally.keep(int(np.count_nonzero(passed(failures, among))))
    for reason, count in first_reasons(failures, among).items():
        tally.drop(reason, count)


def _count_nodes(tally: Tally, failures: Sequence[Failure], among: Mask, survives: Mask) -> None:
    """Count nodes by their own first reason, else by their document's end; an image's status is a reason of its own."""
    tally.keep(int(np.count_nonzero(among & survives)))
    for reason, count in first_reasons(failures, among).items():
        if reason != DropReason.IMAGE_STATUS:
            tally.drop(reason, count)
    for failure in failures:
        if failure.rule == DropReason.IMAGE_STATUS:
            values = failure.values.filter(pa.array(failure.failed)).to_pylist()
            for status, count in sorted(Counter(values).items()):
                tally.drop(f"{DropReason.IMAGE_STATUS}.{status}", count)
    with_document = int(np.count_nonzero(passed(failures, among) & ~survives))
    if with_document:
        tally.drop(DropReason.DOCUMENT_DROPPED, with_document)
