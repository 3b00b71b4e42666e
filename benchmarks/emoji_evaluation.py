"""What a small CLIP knows of a style: how well it tells the picture of a name from others, and finds one by the other.

An area under the curve compares the cosines of aligned pairs with those of others, all pairs of the concepts weighted
so that each concept's picture counts once; it needs no draw. Recall is over draws of 500 concepts, the same for all
models.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from emoji_concepts import Concept
from emoji_pages import swapped_ranks
from emoji_pictures import Pictures
from open_clip.model import CLIP
from open_clip.tokenizer import SimpleTokenizer
from PIL import Image

RECALL_OF, RECALL_DRAWS = 500, 20
DRAW_SEED = 500

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Embedder:
    """A model as open_clip loads it."""

    model: CLIP
    preprocess: object
    tokenizer: SimpleTokenizer

    @torch.inference_mode()
    def pictures(self, pictures: Sequence[Image.Image]) -> Floats:
        """Unit vectors of pictures."""
        assert callable(self.preprocess)
        ready = torch.stack([self.preprocess(picture) for picture in pictures])
        return torch.cat([self.model.encode_image(some, normalize=True) for some in torch.split(ready, 256)]).numpy()

    @torch.inference_mode()
    def texts(self, texts: Sequence[str]) -> Floats:
        """Unit vectors of texts."""
        tokens = self.tokenizer(list(texts))
        return torch.cat([self.model.encode_text(some, normalize=True) for some in torch.split(tokens, 256)]).numpy()


def area(aligned: Floats, others: Floats, weights: npt.NDArray[np.float64]) -> float:
    """Probability that an aligned pair's cosine is above another pair's, which is drawn by weight; ties count half."""
    order = np.argsort(others, kind="stable")
    below = np.concatenate(([0.0], np.cumsum(weights[order])))
    left, right = (np.searchsorted(others[order], aligned, side) for side in ("left", "right"))
    return float(np.mean(below[left] + below[right]) / 2 / below[-1])


def area_among(cosines: Floats, groups: npt.NDArray[np.int64]) -> float:
    """Area of aligned pairs against pairs of the same group, over pictures whose group has another concept.

    `cosines` is of shape (pictures, texts), aligned on the diagonal.
    """
    same = groups[:, None] == groups[None, :]
    np.fill_diagonal(same, False)
    counts = same.sum(1)
    rows, columns = np.nonzero(same)
    return area(np.diag(cosines)[counts > 0], cosines[rows, columns], 1 / counts[rows])


def recall(cosines: Floats, first: int) -> float:
    """Share of rows whose aligned column is among the first so many."""
    ranks = (cosines > np.diag(cosines)[:, None]).sum(1)
    return float(np.mean(ranks < first))


def _recalls(cosines: Floats, of: int) -> dict[str, float]:
    chance = np.random.default_rng(DRAW_SEED)
    draws = [chance.permutation(len(cosines))[:of] for _ in range(RECALL_DRAWS)]
    some = [cosines[np.ix_(draw, draw)] for draw in draws]
    return {
        f"R@{first} {way}": float(np.mean([recall(c.T if way == "text to image" else c, first) for c in some]))
        for way in ("image to text", "text to image")
        for first in (1, 5)
    }


def retrieval(cosines: Floats, concepts: Sequence[Concept]) -> dict[str, float]:
    """Areas and recalls of concepts, whose pictures are rows and whose texts are columns."""
    among = {
        "AUC shuffled": np.zeros(len(concepts), np.int64),
        "AUC same group": np.array([concept.group for concept in concepts]),
        "AUC same subgroup": np.array([concept.subgroup for concept in concepts]),
    }
    areas = {name: area_among(cosines, groups) for name, groups in among.items()}
    return areas | _recalls(cosines, min(RECALL_OF, len(concepts)))


def evaluate(embedder: Embedder, concepts: Sequence[Concept], pictures: Pictures) -> dict[str, dict[str, float]]:
    """Figures of a style: trained concepts by name and by keywords, unseen ones, and pages with swapped pictures.

    Concepts whose drawing is that of another are left out.
    """
    drawn = [c for c in concepts if c.code in pictures.codes and c.code not in pictures.repeats]
    known, unseen = [c for c in drawn if not c.held_out], [c for c in drawn if c.held_out]
    described = [concept for concept in known if len(concept.keywords) >= 3]
    seen = embedder.pictures([pictures.on_white(concept.code) for concept in drawn])
    vectors = dict(zip((concept.code for concept in drawn), seen, strict=True))

    def figures(some: Sequence[Concept], texts: Sequence[str]) -> dict[str, float]:
        cosines = np.stack([vectors[concept.code] for concept in some]) @ embedder.texts(texts).T
        return {"concepts": float(len(some))} | retrieval(cosines, some)

    return {
        "names": figures(known, [concept.name for concept in known]),
        "three keywords": figures(described, [", ".join(concept.keywords[:3]) for concept in described]),
        "unseen names": figures(unseen, [concept.name for concept in unseen]),
        "pages": swapped_ranks(known, vectors, embedder.texts),
    }
