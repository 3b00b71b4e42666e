"""The second part of training: the text tower goes on alone, to find names in sentences of any kind.

The image tower is locked, so that pictures are embedded once and a step costs the texts alone. After the first part the
tower knew the phrases that it was trained with and little else: openmoji's pictures (one seed) had an AUC of 0.96 with
names alone or in a known phrase, and of 0.61 to 0.88 with names in the sentences of `emoji_pages`; 75 % of the pages
were above themselves with their pictures in other places, and 99.5 % after this part.
"""

from dataclasses import dataclass

import numpy as np
import torch
from emoji_augmentation import augmented
from emoji_texts import Prose, drawn_text
from emoji_training import CLIP_NORM, Shelf, batch_of, embedded_texts, normalised, parameter_groups, rate_at, two_hands
from open_clip.loss import ClipLoss
from open_clip.model import CLIP
from open_clip.tokenizer import SimpleTokenizer
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

VIEWS = 2
PROSE_SHARE = 0.4
AT_A_TIME = 256
_TEXTS, _VIEWS = 3, 4


@dataclass(frozen=True)
class Views:
    """What the locked image tower makes of every picture, augmented in a few ways."""

    features: Tensor
    """Shape (VIEWS, pictures, dimensions), unit vectors."""


@torch.no_grad()
def embed_views(model: CLIP, shelf: Shelf, seed: int) -> Views:
    """Embed all pictures, with the tower in evaluation mode."""
    chance = torch.Generator().manual_seed(int(np.random.default_rng((seed, _VIEWS)).integers(2**62)))
    views = []
    for view in range(VIEWS):
        parts = tqdm(torch.split(shelf.pixels, AT_A_TIME), desc=f"view {view}", mininterval=10)
        features = [model.visual(normalised(augmented(some, chance))) for some in parts]
        views.append(functional.normalize(torch.cat(features), dim=-1))
    return Views(torch.stack(views))


def train_texts(model: CLIP, shelf: Shelf, tokenizer: SimpleTokenizer, prose: Prose, seed: int, steps: int) -> None:
    """Train the text tower and the temperature."""
    model.eval()
    views = embed_views(model, shelf, seed)
    model.lock_image_tower(freeze_bn_stats=True)
    optimizer = torch.optim.AdamW(parameter_groups(model), betas=(0.9, 0.98))
    loss = ClipLoss()
    for step in tqdm(range(steps), desc=f"texts, seed {seed}", mininterval=10):
        chance = np.random.default_rng((seed, _TEXTS, step))
        concepts = batch_of(shelf, seed, step)
        some = [shelf.concepts[i] for i in concepts]
        texts = [prose.around(c, chance) if chance.random() < PROSE_SHARE else drawn_text(c, chance) for c in some]
        features = embedded_texts(model, tokenizer(texts))
        places = torch.from_numpy(two_hands(shelf, concepts, chance))
        view = torch.from_numpy(chance.integers(0, VIEWS, places.shape))
        first, second = views.features[view, places]
        scale = model.logit_scale.exp()
        total = loss(first, features, scale) + loss(second, features, scale)
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step, steps)
        optimizer.zero_grad()
        total.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM)
        optimizer.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, float(np.log(100)))
