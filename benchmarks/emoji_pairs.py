"""Pairs of emoji and their names as a small CLIP embeds them, for `benchmarks/bootstrap.py`.

    uv run --extra score --with resvg-py python benchmarks/emoji_pairs.py MODEL --style openmoji --out strong.npz

MODEL is a folder that `emoji_clip.py train` wrote, or a checkpoint from the middle of a training: a weak scorer is one
that was trained for a quarter of the steps. The style is one that it was not trained on. A page holds up to six
concepts of one of Unicode's subgroups, so that its hardest negatives are alike.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from emoji_clip import HELD_OUT_STYLES
from emoji_concepts import Concept, read_concepts
from emoji_evaluation import Embedder
from emoji_model import load_model, new_model, new_tokenizer, write_model
from emoji_pictures import read_pictures
from emoji_sets import set_named

_OF_A_PAGE = 6


def pages_of(concepts: list[Concept], seed: int = 0) -> npt.NDArray[np.int64]:
    """For each concept the number of its page: members of a subgroup in a drawn order, six by six."""
    rng = np.random.default_rng(seed)
    pages, first = np.zeros(len(concepts), np.int64), 0
    subgroups = np.array([concept.subgroup for concept in concepts])
    for subgroup in np.unique(subgroups):
        members = rng.permutation(np.flatnonzero(subgroups == subgroup))
        pages[members] = first + np.arange(len(members)) // _OF_A_PAGE
        first = int(pages[members].max()) + 1
    return pages


def embedder(model: Path) -> Embedder:
    """A trained model, or a checkpoint as one."""
    if model.is_dir():
        return Embedder(*load_model(model))
    _, weights, _ = torch.load(model, weights_only=True)
    begun = new_model(0)
    begun.load_state_dict(weights)
    with tempfile.TemporaryDirectory() as folder:
        new_tokenizer(Path(folder))
        write_model(begun, Path(folder))
        return Embedder(*load_model(Path(folder)))


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--sets", type=Path, default=Path(".cache/emoji"), help="folder for fetched sets and pictures")
    parser.add_argument("--style", choices=HELD_OUT_STYLES, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    every = read_concepts(arguments.sets)
    pictures = read_pictures(set_named(arguments.style), every, arguments.sets)
    drawn = set(pictures.codes) - pictures.repeats
    concepts = [concept for concept in every if concept.code in drawn and not concept.held_out]
    scorer = embedder(arguments.model)
    images = scorer.pictures([pictures.on_white(concept.code) for concept in concepts])
    texts = scorer.texts([concept.name for concept in concepts])
    np.savez(arguments.out, image=images, text=texts, page=pages_of(concepts))


if __name__ == "__main__":
    main()
