"""Training of the small CLIP: which pairs a step sees, its losses and its schedule, and checkpoints to go on from.

A step draws a text and the pictures of two hands for each concept. What is drawn depends on the seed and the step's
number alone, so a training that was stopped goes on as if it had not been.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from emoji_augmentation import augmented
from emoji_concepts import Concept
from emoji_model import PREPROCESSING, new_model
from emoji_pictures import Pictures
from emoji_texts import drawn_texts
from open_clip.loss import ClipLoss
from open_clip.model import CLIP
from open_clip.tokenizer import SimpleTokenizer
from torch import Tensor
from torch.func import functional_call
from torch.nn import functional
from tqdm import tqdm

BATCH = 128
RATE, WARM_UP, DECAY, CLIP_NORM = 1e-3, 40, 0.1, 1.0
# Of the loss between the pictures of two hands, beside 1 for those between pictures and texts.
HANDS_WEIGHT = 0.5
# Texts are embedded with so many others of about their length.
TEXTS_OF_A_LENGTH = 32
CHECKPOINT_STEPS = 100
_PICTURES, _ORDER = 1, 2

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Shelf:
    """All pictures that are trained on, by concept and hand."""

    concepts: list[Concept]
    pixels: Tensor
    """Shape (pictures, 4, side, side), uint8, premultiplied."""
    places: Indices
    """Shape (concepts, sets): where in `pixels` the picture is, -1 where a set has none."""
    weights: npt.NDArray[np.float64]
    """Shape (sets,)."""


def shelve(concepts: Sequence[Concept], sets: Sequence[Pictures], weights: Sequence[float]) -> Shelf:
    """The pictures of all concepts that are not held out and that any of the sets draws."""
    begins = np.cumsum([0, *(len(pictures.codes) for pictures in sets)])
    found = [
        {code: int(begin) + i for i, code in enumerate(pictures.codes)}
        for begin, pictures in zip(begins[:-1], sets, strict=True)
    ]
    kept = [c for c in concepts if not c.held_out and any(c.code in places for places in found)]
    places = np.array([[some.get(concept.code, -1) for some in found] for concept in kept])
    pixels = torch.from_numpy(np.concatenate([pictures.pixels for pictures in sets]))
    return Shelf(kept, pixels, places, np.array(weights))


def batch_of(shelf: Shelf, seed: int, step: int) -> Indices:
    """Which concepts a step sees: in turn any, and a few whole subgroups, whose members are hard to tell apart."""
    steps_of_a_pass = len(shelf.concepts) // BATCH
    turn, place = divmod(step, steps_of_a_pass)
    chance = np.random.default_rng((seed, _ORDER, turn))
    order = chance.permutation(len(shelf.concepts))
    if turn % 2:
        ranks = chance.permutation(1 + max(concept.subgroup for concept in shelf.concepts))
        order = np.array(sorted(order, key=lambda i: ranks[shelf.concepts[i].subgroup]))
        # Otherwise the same subgroups would always be cut at a batch's end, and the last ones left out.
        order = np.roll(order, int(chance.integers(len(order))))
    return order[place * BATCH : (place + 1) * BATCH]


def two_hands(shelf: Shelf, concepts: Indices, chance: np.random.Generator) -> Indices:
    """Places of two pictures of each concept, shape (2, concepts); one picture twice where there is no other."""
    places = shelf.places[concepts]
    # Gumbel's trick: the largest two of log weight + noise are a draw without replacement.
    ranks = np.where(places >= 0, np.log(shelf.weights) + chance.gumbel(size=places.shape), -np.inf)
    best = np.argsort(-ranks, axis=1)[:, :2]
    first, second = np.take_along_axis(places, best, axis=1).T
    return np.stack((first, np.where(second < 0, first, second)))


def rate_at(step: int, steps: int) -> float:
    """Learning rate: a linear warm-up, then half a cosine to zero."""
    if step < WARM_UP:
        return RATE * (step + 1) / WARM_UP
    return RATE * 0.5 * (1 + math.cos(math.pi * (step - WARM_UP) / max(1, steps - WARM_UP)))


def embedded_texts(model: CLIP, tokens: Tensor) -> Tensor:
    """What `encode_text` gives, without the padding: attention is causal, what follows the end changes nothing."""
    ends = tokens.argmax(1)  # the mark of a text's end is the largest token
    order = ends.argsort()
    features = []
    for some in torch.split(order, TEXTS_OF_A_LENGTH):
        length = int(ends[some].max()) + 1
        cut = {
            "positional_embedding": model.positional_embedding[:length],
            "attn_mask": model.attn_mask[:length, :length],
        }
        features.append(functional_call(model, cut, (None, tokens[some, :length]))[1])
    return torch.cat(features)[order.argsort()]


def normalised(pictures: Tensor) -> Tensor:
    """Pictures of values in 0…1 as the image tower takes them."""
    mean, deviation = (torch.tensor(PREPROCESSING[name])[:, None, None] for name in ("mean", "std"))
    return ((pictures - mean) / deviation).contiguous(memory_format=torch.channels_last)


def loss_of(model: CLIP, shelf: Shelf, tokenizer: SimpleTokenizer, seed: int, step: int) -> Tensor:
    """The loss of one step."""
    chance = np.random.default_rng((seed, _PICTURES, step))
    concepts = batch_of(shelf, seed, step)
    tokens = tokenizer(drawn_texts([shelf.concepts[i] for i in concepts], chance))
    pixels = shelf.pixels[torch.from_numpy(two_hands(shelf, concepts, chance).reshape(-1))]
    pictures = augmented(pixels, torch.Generator().manual_seed(int(chance.integers(2**62))))
    with torch.autocast("cpu", torch.bfloat16):
        features = model.visual(normalised(pictures))
    first, second = functional.normalize(features.float(), dim=-1).chunk(2)
    texts, loss, scale = embedded_texts(model, tokens), ClipLoss(), model.logit_scale.exp()
    total: Tensor = loss(first, texts, scale) + loss(second, texts, scale) + HANDS_WEIGHT * loss(first, second, scale)
    return total


def train(shelf: Shelf, tokenizer: SimpleTokenizer, folder: Path, seed: int, steps: int) -> CLIP:
    """Train both towers from scratch, or from the folder's checkpoint of the same seed and steps."""
    model = new_model(seed)
    model.visual.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(parameter_groups(model), lr=RATE, betas=(0.9, 0.98))
    checkpoint = folder / f"checkpoint-{seed}-{steps}.pt"
    begin = _restore(checkpoint, model, optimizer)
    model.train()
    for step in tqdm(range(begin, steps), initial=begin, total=steps, desc=f"seed {seed}", mininterval=10):
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step, steps)
        loss = loss_of(model, shelf, tokenizer, seed, step)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM)
        optimizer.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, math.log(100))
        if (step + 1) % CHECKPOINT_STEPS == 0:
            tqdm.write(f"seed {seed}, step {step + 1}: loss {loss.item():.3f}")
            _save(checkpoint, model, optimizer, step + 1)
    return model.eval()


def parameter_groups(model: CLIP) -> list[dict[str, object]]:
    """For the optimizer: weights are decayed; biases, gains and the temperature are not."""
    parameters = [p for p in model.parameters() if p.requires_grad]
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": DECAY},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]


def _save(path: Path, model: CLIP, optimizer: torch.optim.Optimizer, step: int) -> None:
    fresh = path.with_suffix(".new")
    torch.save((step, model.state_dict(), optimizer.state_dict()), fresh)
    fresh.rename(path)


def _restore(path: Path, model: CLIP, optimizer: torch.optim.Optimizer) -> int:
    """The step to go on from."""
    if not path.exists():
        return 0
    step, weights, moments = torch.load(path, weights_only=True)
    model.load_state_dict(weights)
    optimizer.load_state_dict(moments)
    return int(step)
