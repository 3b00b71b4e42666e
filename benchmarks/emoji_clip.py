"""Make and measure a CLIP that is small enough for a demo and for tests: it knows emoji, and nothing of the world.

    uv run --extra score --with resvg-py python benchmarks/emoji_clip.py train --seed 0 --out DIR
    uv run --extra score --with resvg-py python benchmarks/emoji_clip.py evaluate --style emojione DIR…
    uv run --extra score --with resvg-py python benchmarks/emoji_clip.py examples --style streamline-emojis --out DIR

npm fetches the emoji sets, of pinned versions, into `--sets`; `emoji_sets` names them, their licences and what each is
for. On one kind of machine the same seed gives the same weights, whatever the number of its cores: training is by one
thread, several trainings are several processes.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from emoji_concepts import read_concepts
from emoji_evaluation import Embedder, evaluate
from emoji_model import load_model, new_tokenizer, write_model
from emoji_pictures import read_pictures
from emoji_sets import SETS, Use, set_named
from emoji_text_training import train_texts
from emoji_texts import read_prose
from emoji_training import shelve, train

STEPS, TEXT_STEPS = 1500, 800
HELD_OUT_STYLES = [emoji_set.name for emoji_set in SETS if emoji_set.use != Use.TRAIN]
# Chosen by name, for the tests, before any picture of their style was drawn; trained on in other styles.
EXAMPLES = (
    "cat face", "dog face", "pig face", "elephant", "panda", "frog", "turtle", "snake", "dolphin", "octopus",
    "snail", "rose", "four leaf clover", "mushroom", "grapes", "red apple", "lemon", "cherries", "bread",
    "wine glass", "bicycle", "automobile", "tractor", "airplane", "helicopter", "sailboat", "rocket",
    "crescent moon", "umbrella", "rainbow", "fire", "guitar", "television", "crown", "open book", "bell",
)  # fmt: skip


def main() -> None:
    """Run one of the commands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=Path, default=Path(".cache/emoji"), help="folder for fetched sets and pictures")
    commands = parser.add_subparsers(dest="command", required=True)
    training = commands.add_parser("train", help="train from scratch, or go on from a checkpoint")
    training.add_argument("--seed", type=int, default=0)
    training.add_argument("--steps", type=int, default=STEPS)
    training.add_argument("--text-steps", type=int, default=TEXT_STEPS, help="of the text tower alone, afterwards")
    training.add_argument("--threads", type=int, default=1, help="the weights depend on it")
    training.add_argument("--out", type=Path, required=True, help="folder for the model")
    measuring = commands.add_parser("evaluate", help="print the figures of models on one style as JSON")
    measuring.add_argument("--style", choices=HELD_OUT_STYLES, required=True)
    measuring.add_argument("models", type=Path, nargs="+", help="folders of models")
    showing = commands.add_parser("examples", help="write a few pictures of a style, for the tests")
    showing.add_argument("--style", choices=HELD_OUT_STYLES, required=True)
    showing.add_argument("--out", type=Path, required=True, help="folder for the pictures")
    arguments = parser.parse_args()
    if arguments.command == "train":
        torch.set_num_threads(arguments.threads)
        torch.use_deterministic_algorithms(True)
        run_training(arguments.sets, arguments.out, arguments.seed, arguments.steps, arguments.text_steps)
    elif arguments.command == "examples":
        write_examples(arguments.sets, arguments.style, arguments.out)
    else:
        print(json.dumps(measured(arguments.sets, arguments.style, arguments.models), indent=2))


def run_training(sets: Path, out: Path, seed: int, steps: int, text_steps: int) -> None:
    """Train on all sets that are for training, and write the model."""
    concepts = read_concepts(sets)
    chosen = [emoji_set for emoji_set in SETS if emoji_set.use == Use.TRAIN]
    pictures = [read_pictures(emoji_set, concepts, sets) for emoji_set in chosen]
    shelf = shelve(concepts, pictures, [emoji_set.weight for emoji_set in chosen])
    print(f"{int((shelf.places >= 0).sum())} pictures of {len(shelf.concepts)} concepts")
    tokenizer = new_tokenizer(out)
    model = train(shelf, tokenizer, out, seed, steps)
    train_texts(model, shelf, tokenizer, read_prose(concepts), seed, text_steps)
    write_model(model, out)


def measured(sets: Path, style: str, models: Sequence[Path]) -> dict[str, dict[str, dict[str, list[float]]]]:
    """Figures of models on a style: those of each model in their order, then their mean."""
    concepts = read_concepts(sets)
    pictures = read_pictures(set_named(style), concepts, sets)
    every = [evaluate(Embedder(*load_model(folder)), concepts, pictures) for folder in models]
    table = {
        part: {name: [figures[part][name] for figures in every] for name in names} for part, names in every[0].items()
    }
    return {
        style: {
            part: {name: [round(v, 4) for v in (*some, float(np.mean(some)))] for name, some in rows.items()}
            for part, rows in table.items()
        }
    }


def write_examples(sets: Path, style: str, out: Path) -> None:
    """The pictures of `EXAMPLES` on white, as small PNG files that are named for what they show."""
    concepts = read_concepts(sets)
    pictures = read_pictures(set_named(style), concepts, sets)
    out.mkdir(parents=True, exist_ok=True)
    for concept in concepts:
        if concept.name in EXAMPLES:
            small = pictures.on_white(concept.code).quantize(64)
            small.save(out / f"{concept.name.replace(' ', '_')}.png", optimize=True)


if __name__ == "__main__":
    main()
