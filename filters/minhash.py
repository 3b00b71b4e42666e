"""MinHash signatures of word n-grams, cut into bands, and how likely these are to bring a pair of texts together.

Broder, On the resemblance and containment of documents (1997); banding as in Leskovec, Rajaraman and Ullman, Mining of
Massive Datasets, section 3.4. Signatures are rensa's.
"""

from array import array
from collections.abc import Sequence
from functools import cache
from itertools import chain
from math import comb

import numpy as np
import numpy.typing as npt

from filters.word_hashes import Hashes, Words, mixed
from schemas.recipe import NearSettings

_SEED = 1
_SURE = 1e-6
# A sketch keeps the smallest n-grams of a text by value of their hash. All of them for nine texts in ten; of longer
# ones enough for a standard error of 0.012 at a similarity of 0.8.
SKETCH = 1024


def signature_version() -> str:
    """What signatures depend on beside their settings: rensa's algorithm."""
    from rensa import RMinHash

    return f"rensa-{RMinHash.ALGORITHM_VERSION}"


def bands_of(ngrams: Words, settings: NearSettings) -> tuple[Hashes, npt.NDArray[np.int64]]:
    """Band digests of texts with n-grams, (m, bands), and which of the texts these m are."""
    from rensa import RMinHash

    which = np.flatnonzero(ngrams.counts)
    if not len(which):
        return np.zeros((0, settings.bands), np.uint64), which
    offsets = np.concatenate((np.zeros(1, np.int64), np.cumsum(ngrams.counts[which])))
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(ngrams.hashes, offsets, settings.permutations, _SEED)
    rows = settings.permutations // settings.bands
    flat = array("I", chain.from_iterable(matrix.to_rows()))  # three times as fast as NumPy reads lists
    values = np.frombuffer(flat, np.uint32).reshape(len(which), settings.bands, rows)
    total = np.zeros(values.shape[:2], np.uint64) + mixed(np.arange(1, settings.bands + 1, dtype=np.uint64))
    for row in range(rows):
        total = mixed(total + values[:, :, row])
    return total, which


def recall(similarity: float, settings: NearSettings) -> float:
    """Probability that two texts of a Jaccard similarity agree in a band: 1 - (1 - s^rows)^bands."""
    return float(1 - (1 - similarity ** (settings.permutations // settings.bands)) ** settings.bands)


@cache
def enough_bands(settings: NearSettings) -> int:
    """In how many bands texts agree that need no further check: two whose similarity is just under the bound do so once
    in a million times. More than all bands where even these are not enough.
    """
    agree = settings.jaccard ** (settings.permutations // settings.bands)
    tail, count = 0.0, settings.bands + 1
    while count > 0:
        tail += comb(settings.bands, count - 1) * agree ** (count - 1) * (1 - agree) ** (settings.bands - count + 1)
        if tail > _SURE:
            break
        count -= 1
    return count


def sketch(ngrams: Hashes) -> npt.NDArray[np.uint32]:
    """The distinct n-grams of one text, ascending, by the upper half of their hashes; at most SKETCH, the smallest."""
    ascending = np.sort((ngrams >> np.uint64(32)).astype(np.uint32))
    first = np.ones(len(ascending), np.bool_)
    np.not_equal(ascending[1:], ascending[:-1], out=first[1:])
    return ascending[first][:SKETCH]


def similarities(
    left: Sequence[npt.NDArray[np.uint32]], right: Sequence[npt.NDArray[np.uint32]]
) -> npt.NDArray[np.float64]:
    """Jaccard similarity of pairs of sketches: exact where both are whole, else estimated below where both reach."""
    if not left:
        return np.zeros(0)
    limit = np.minimum(_reach(left), _reach(right))
    pair = np.arange(len(left), dtype=np.uint64) << np.uint64(32)
    keys = np.concatenate([_below(left, pair, limit), _below(right, pair, limit)])
    keys.sort()
    repeated = keys[1:] == keys[:-1]
    index = (keys >> np.uint64(32)).astype(np.int64)
    both = np.bincount(index[1:][repeated], minlength=len(left))
    either = np.bincount(index, minlength=len(left)) - both
    return both / np.maximum(either, 1)


def _reach(sketches: Sequence[npt.NDArray[np.uint32]]) -> Hashes:
    """Up to which hash each sketch is whole."""
    top = np.uint64(0xFFFFFFFF)
    return np.array([top if len(s) < SKETCH else s[-1] for s in sketches], np.uint64)


def _below(sketches: Sequence[npt.NDArray[np.uint32]], pair: Hashes, limit: Hashes) -> Hashes:
    lengths = np.array([len(s) for s in sketches])
    values = np.concatenate(sketches).astype(np.uint64)
    kept = values <= np.repeat(limit, lengths)
    return (np.repeat(pair, lengths) | values)[kept]
