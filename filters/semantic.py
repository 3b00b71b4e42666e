"""Pictures that mean the same, by their embeddings: clusters of a corpus, and in each what is nearest to whom.

After SemDeDup (Abbas et al. 2023, arXiv 2303.09540): embeddings are clustered by k-means, so that only pairs inside a
cluster are compared, and of the pictures that are more alike than a bound all but one go. Ours differs in what is left:
there the picture farthest from the cluster's centre, here the best one (`better first` is the caller's order), which
does not depend on how the clusters came out. And what is measured is a signal: how near the nearest better picture of
the cluster is. Whichever bound a rule sets, of any two pictures nearer than it at most the better one is kept.

Floats are rows of unit length in float32; similarity is their cosine.
"""

import numpy as np
import numpy.typing as npt

from filters.embeddings import Floats, unit

Indices = npt.NDArray[np.int64]

# Rounds of k-means: what a corpus is cut by need not be the optimum, and later rounds move little.
_ROUNDS = 10
# Rows that are compared at once: with the 32,768 others of the largest clusters 32 MB of cosines.
_ROWS = 256
# What is cut off is where processors' kernels may differ.
_DECIMALS = 4


def centres_of(sample: Floats, count: int) -> Floats:
    """Centres of `count` clusters, (count, width), by spherical k-means from the sample's first rows.

    Rows have to be in an order that says nothing of them, such as that of a hash. A cluster that loses all its rows
    keeps its centre.
    """
    centres = sample[:count].copy()
    for _ in range(_ROUNDS):
        nearest = nearest_centres(sample, centres)
        sums = np.zeros_like(centres)
        np.add.at(sums, nearest, sample)
        there = np.bincount(nearest, minlength=len(centres)) > 0
        centres[there] = unit(sums[there])
    return centres


def nearest_centres(embeddings: Floats, centres: Floats) -> Indices:
    """The cluster of each row; of equally near ones the first."""
    found = np.empty(len(embeddings), np.int64)
    for begin in range(0, len(embeddings), _ROWS):
        found[begin : begin + _ROWS] = np.argmax(embeddings[begin : begin + _ROWS] @ centres.T, axis=1)
    return found


def nearest_better(embeddings: Floats) -> tuple[Floats, Indices]:
    """For rows of a cluster, better first: cosine with the nearest of the rows before each, and which one that is.

    The first row has none: NaN, and -1.
    """
    similarity = np.full(len(embeddings), np.nan, np.float32)
    nearest = np.full(len(embeddings), -1, np.int64)
    for begin in range(0, len(embeddings), _ROWS):
        some = embeddings[begin : begin + _ROWS]
        end = begin + len(some)
        cosines = some @ embeddings[:end].T
        np.round(cosines, _DECIMALS, out=cosines)
        cosines[:, begin:][np.triu_indices(len(some))] = -np.inf  # itself, and worse ones
        nearest[begin:end] = np.argmax(cosines, axis=1)
        similarity[begin:end] = cosines[np.arange(len(some)), nearest[begin:end]]
    if len(embeddings):
        similarity[0], nearest[0] = np.nan, -1
    return np.minimum(similarity, np.float32(1)), nearest
