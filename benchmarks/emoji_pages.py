"""Pages made from emoji: sentences that name things, with the pictures of these things between them.

A picture's score is its best cosine with the two texts beside it, a page's score the mean of these. The same page with
its pictures in other places, or with those of another page, has to score lower.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from emoji_concepts import Concept

PAGES, PICTURES_OF_A_PAGE = 200, 5
PAGE_SEED = 200
# None of them is trained on.
SENTENCES = (
    "In the morning the children found {} behind the old house.",
    "Nobody in our village had ever heard of {} before.",
    "The museum shows {} in its second room, next to the window.",
    "Last summer my sister wrote a long letter about {}.",
    "You can recognise {} even from far away.",
    "Every dictionary explains the meaning of {} with a short example.",
    "At the market they were selling cards with {} printed on them.",
    "When the lights went out, all we could think of was {}.",
    "Our teacher drew {} on the blackboard and asked what it was.",
    "The next chapter of the book deals with {}.",
)
CLOSING = "That is all there is to say about it for now."

Floats = npt.NDArray[np.float32]
Order = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Page:
    """Texts with a picture between each two of them; the picture at i shows what the text at i names."""

    codes: list[str]
    texts: list[str]


def made_pages(concepts: Sequence[Concept], chance: np.random.Generator) -> list[Page]:
    """Pages about concepts of different families, and so of no two that only differ in who does a thing."""
    pages: list[Page] = []
    while len(pages) < PAGES:
        some = [concepts[i] for i in chance.choice(len(concepts), PICTURES_OF_A_PAGE, replace=False)]
        if len({concept.family for concept in some}) == len(some):
            sentences = chance.choice(SENTENCES, len(some), replace=False)
            texts = [str(s).format(concept.name) for s, concept in zip(sentences, some, strict=True)]
            pages.append(Page([concept.code for concept in some], [*texts, CLOSING]))
    return pages


def moved_away(count: int, chance: np.random.Generator) -> Order:
    """A permutation of pictures in which none is beside its own text: neither where it was nor one place before."""
    while True:
        order = chance.permutation(count)
        places = np.arange(count)
        if not np.any((order == places) | (order == places + 1)):
            return order


def page_score(pictures: Floats, texts: Floats) -> float:
    """Mean over pictures of the best cosine with the text before and the text after."""
    before = np.sum(pictures * texts[:-1], axis=1)
    after = np.sum(pictures * texts[1:], axis=1)
    return float(np.mean(np.maximum(before, after)))


def swapped_ranks(
    concepts: Sequence[Concept], vectors: Mapping[str, Floats], embed: Callable[[Sequence[str]], Floats]
) -> dict[str, float]:
    """Shares of pages that score above the same page with its pictures in other places, and with another page's."""
    chance = np.random.default_rng(PAGE_SEED)
    pages = made_pages(concepts, chance)
    texts = [embed(page.texts) for page in pages]
    pictures = [np.stack([vectors[code] for code in page.codes]) for page in pages]
    whole = [page_score(p, t) for p, t in zip(pictures, texts, strict=True)]
    among = [page_score(p[moved_away(len(p), chance)], t) for p, t in zip(pictures, texts, strict=True)]
    others = [page_score(pictures[i - 1], t) for i, t in enumerate(texts)]
    return {
        "pages": float(len(pages)),
        "above own pictures in other places": float(np.mean(np.array(whole) > np.array(among))),
        "above another page's pictures": float(np.mean(np.array(whole) > np.array(others))),
        "mean score": float(np.mean(whole)),
        "mean score, other places": float(np.mean(among)),
        "mean score, another page": float(np.mean(others)),
    }
