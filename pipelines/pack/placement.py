"""Where the images of a sample stand: in their places on the page, or each before the sentence that it fits best.

The latter is MMC4's (Zhu et al. 2023, section 2): an assignment that makes the sum of the similarities largest, with at
most one image for a sentence; images for which none is left go to the sentence that is most similar.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from filters.sentences import Sentence, sentences

Row = Mapping[str, Any]
Similarities = Mapping[int, Sequence[float]]


@dataclass(frozen=True)
class Placed:
    """A node of the document in a sample: a text or a piece of one, or (`text` is None) the image at a position."""

    position: int
    text: str | None = None


def on_the_page(document: Row, node_kept: Sequence[bool]) -> Iterator[Placed]:
    """Kept nodes in the order of the page."""
    for position, kept in enumerate(node_kept):
        if kept:
            yield Placed(position, document["texts"][position])


def matched(document: Row, node_kept: Sequence[bool], similarities: Similarities) -> Iterator[Placed]:
    """Kept texts in the order of the page, cut before sentences that have an image; those not compared stay in place.

    `similarities` are those of images by position with each of the first sentences of the page, as in `scores`.
    """
    all_sentences = sentences(document["texts"], document["language"])
    images = [p for p, kept in enumerate(node_kept) if kept and document["texts"][p] is None and p in similarities]
    sentence_of = _assigned(images, similarities, [node_kept[sentence.node] for sentence in all_sentences])
    before: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for image, number in sentence_of.items():
        sentence: Sentence = all_sentences[number]
        before[sentence.node][sentence.start].append(image)
    for placed in on_the_page(document, node_kept):
        if placed.text is not None:
            yield from _cut(placed, before[placed.position])
        elif placed.position not in sentence_of:
            yield placed


def _cut(text: Placed, images: Mapping[int, Sequence[int]]) -> Iterator[Placed]:
    """A text with images at some of its characters."""
    assert text.text is not None
    begin = 0
    for start in sorted(images):
        if text.text[begin:start].strip():
            yield Placed(text.position, text.text[begin:start].rstrip())
            begin = start
        yield from map(Placed, images[start])
    yield Placed(text.position, text.text[begin:])


def _assigned(images: Sequence[int], similarities: Similarities, usable: Sequence[bool]) -> dict[int, int]:
    """The number of the sentence of each image; without those for which no sentence is usable."""
    if not images:
        return {}
    width = len(similarities[images[0]])
    columns = np.flatnonzero(np.asarray(usable[:width], np.bool_))
    if not len(columns):
        return {}
    known = np.array([similarities[image] for image in images], np.float64)[:, columns]
    scores: npt.NDArray[np.float64] = np.nan_to_num(known, nan=-1.0)
    from scipy.optimize import linear_sum_assignment  # a fifth of a second: only for those who ask for it

    best = scores.argmax(axis=1)
    rows, assigned = linear_sum_assignment(-scores)
    best[rows] = assigned
    return {image: int(columns[column]) for image, column in zip(images, best, strict=True)}
