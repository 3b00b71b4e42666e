"""A prior on alignment from words alone: fastText tells documents whose pictures went with their texts from others.

It is trained on what a scorer found in one crawl and asked in the next one before any picture is fetched. DataComp-LM
(Li et al. 2024, arXiv 2406.11794) found such a classifier the best of the filters of texts that it tried; here what is
high and what is low is measured, instead of taken from other collections.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from filters.alignment_auc import auc

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

HIGH, LOW = "__label__high", "__label__low"
# A document's first words tell most, and training reads every one of them in every pass.
_MOST_CHARACTERS = 2000
_MARK = "__"  # what fastText would take for a label
# Words and pairs of words, as DataComp-LM's. One thread makes the result the same each time, but then fastText sets
# only the first tenth of its table (densematrix.cc, uniformThread) and takes the rest as it finds the memory. A table
# of 64 MB comes fresh from the system and is zeros; of small ones the rest is what was there before, or NaN.
_TRAINING: dict[str, Any] = {
    "dim": 8, "epoch": 10, "lr": 0.25, "wordNgrams": 2, "minCount": 3, "bucket": 1 << 21, "loss": "softmax",
    "thread": 1, "seed": 1, "verbose": 0,
}  # fmt: skip
_ROWS_KEPT = 20_000  # of the table, those that weigh most: the others were hardly met


@dataclass(frozen=True)
class Figures:
    """What a prior is worth on documents that it was not trained on.

    A document is high where the mean alignment of its pictures is at least that of the top share it was trained on. The
    `threshold` is the probability at which other documents than these, on which it is measured, had the recall asked
    for.
    """

    documents: int
    high_share: float
    auc: float | None
    threshold: float
    recall: float
    precision: float
    saved: float
    """Share of the pictures that would not be scored: those of documents below the threshold."""


def line_of(texts: Iterable[str | None]) -> str:
    """A document's texts as fastText reads them: one line, in lower case, words apart by single spaces."""
    words = " ".join(text for text in texts if text)[: 2 * _MOST_CHARACTERS].lower().split()
    return " ".join(word.lstrip("_") if word.startswith(_MARK) else word for word in words)[:_MOST_CHARACTERS]


def line_of_document(title: str | None, nodes: Iterable[Sequence[str | None]]) -> str:
    """The line of a document: its title, then text, alternative text and caption of each node, in their order."""
    return line_of([title, *(text for node in nodes for text in node)])


def problem(model: str) -> str | None:
    """Why a model cannot be used, or None if it can: asked before a job starts."""
    if not Path(model).is_file():
        return f"there is no file {model}"
    try:
        labels = _loaded(model).labels
    except ValueError as error:
        return f"{model} is no model of fastText: {error}"
    return None if set(labels) == {HIGH, LOW} else f"{model} is no prior: it tells {', '.join(labels[:3])} …"


def measure(model: str, lines: Iterable[str]) -> list[float | None]:
    """Of each line the probability that it is of a high document; None for one without words."""
    return [next(_high(_loaded(model), [line])) if line else None for line in lines]


def train(labelled: Path, output: Path) -> None:
    """Train on lines that begin with HIGH or LOW and write the model, compressed (.ftz); the same for the same lines.

    Raises:
        ValueError: where there is nothing to learn from, such as no word that occurs three times.
    """
    import fasttext

    try:
        model = fasttext.train_supervised(input=str(labelled), **_TRAINING)
    except RuntimeError as error:  # "Encountered NaN."
        raise ValueError(f"training failed: {error}") from error
    if set(model.labels) != {HIGH, LOW}:
        raise ValueError("texts of both kinds are needed")
    model.quantize(qnorm=True, cutoff=_ROWS_KEPT, verbose=False)
    model.save_model(str(output))


def probabilities(model: Path, lines: Iterable[str]) -> Floats:
    """Of each line the probability that it is of a high document."""
    return np.array([*_high(_load(str(model)), lines)], np.float64)


def figures(
    calibration: tuple[Floats, Mask], test: tuple[Floats, Mask], images: npt.NDArray[np.int64], recall: float
) -> Figures:
    """What probabilities are worth, given which documents are high; `images` are those of each test document.

    Raises:
        ValueError: where no document of the calibration or of the test is high.
    """
    threshold = threshold_for(*calibration, recall)
    probable, high = test
    if not high.any():
        raise ValueError("no document to measure on is high")
    kept = probable >= threshold
    return Figures(
        documents=len(high),
        high_share=float(high.mean()),
        auc=auc(probable[high].astype(np.float32), probable[~high].astype(np.float32)),
        threshold=threshold,
        recall=float(kept[high].mean()),
        precision=float(high[kept].mean()) if kept.any() else 0.0,
        saved=1 - float(images[kept].sum() / images.sum()),
    )


def threshold_for(probable: Floats, high: Mask, recall: float) -> float:
    """The highest probability at or above which lies at least that share of the high documents.

    Raises:
        ValueError: where none is high.
    """
    of_high = np.sort(probable[high])[::-1]
    if not len(of_high):
        raise ValueError("no document to calibrate on is high")
    return float(of_high[min(int(np.ceil(recall * len(of_high))), len(of_high)) - 1])


def _load(model: str) -> Any:
    import fasttext

    return fasttext.load_model(model)


_loaded = cache(_load)


def _high(model: Any, lines: Iterable[str]) -> Iterator[float]:
    for line in lines:
        labels: Sequence[str]
        labels, found = model.predict(line, k=2)
        yield min(float(dict(zip(labels, found, strict=True)).get(HIGH, 0.0)), 1.0)
