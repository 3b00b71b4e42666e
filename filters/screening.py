"""The screen: rules on documents before any image is fetched. The same answer wherever it is asked."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from filters.nodes import Mask, Nodes, columns_for
from filters.rules import Failure, evaluate, passed, signals_of
from schemas.recipe import ConsentSettings, Recipe
from schemas.statuses import Scope


@dataclass(frozen=True)
class Screening:
    """Which documents of a batch pass, and what the others fail."""

    passed: Mask
    failures: list[Failure]


def screen_columns(recipe: Recipe) -> tuple[str, ...]:
    """Columns of `documents` that the screen needs."""
    return "images", *sorted(columns_for(Scope.DOCUMENT, signals_of(recipe.screen.document)))


def screen(nodes: Nodes, recipe: Recipe) -> Screening:
    """Apply the recipe's screen to a batch, all nodes counted as kept."""
    if not recipe.screen.document:
        return Screening(np.ones(nodes.documents, np.bool_), [])
    everything = np.ones(len(nodes.document), np.bool_)
    among = np.ones(nodes.documents, np.bool_)
    failures = evaluate(recipe.screen.document, Scope.DOCUMENT, nodes.document_columns(everything), among)
    return Screening(passed(failures, among), failures)


def page_opts_out(directives: Sequence[str] | None, consent: ConsentSettings) -> bool:
    """Whether a page forbids the use of its images by a directive that the recipe honours."""
    said = set(directives or ())
    return bool(said & set(consent.directives)) or (consent.tdm_reservation and "tdm-reservation" in said)
