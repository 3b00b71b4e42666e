"""Augmentation of emoji: other sizes, places, colours and backgrounds, and drawings of lines alone.

What differs between hands is to be forgotten and what is drawn to be kept, so nothing is mirrored: arrows and hands
mean their direction. Everything is drawn from the generator that is passed in.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

TURN = math.radians(20)
LINE_SHARE = 0.12
GREY_SHARE = 0.1
WHITE_SHARE = 0.4
# Mean difference of channels between what is drawn and what is behind it under which the background is inverted:
# black lines on black would be a picture of nothing.
LEAST_CONTRAST = 0.06
# So many pictures' intermediate values stay in a core's cache.
AT_A_TIME = 32
_LUMA = torch.tensor([0.299, 0.587, 0.114])[:, None, None]


def augmented(pixels: Tensor, chance: torch.Generator) -> Tensor:
    """Premultiplied pictures of shape (n, 4, side, side), uint8, as pictures of shape (n, 3, side, side) in 0…1."""
    return torch.cat([_augmented(some, chance) for some in torch.split(pixels, AT_A_TIME)])


def _augmented(pixels: Tensor, chance: torch.Generator) -> Tensor:
    moved = _moved(pixels.float() / 255, chance)
    colours, alpha = moved[:, :3], moved[:, 3:].clamp(0, 1)
    colours = _recoloured(colours, alpha, chance)
    lines = _uniform(chance, len(pixels)) < LINE_SHARE
    colours[lines], alpha[lines] = _as_lines(colours[lines], alpha[lines], chance)
    flat = colours + (1 - alpha) * _backgrounds(colours, alpha, chance)
    noise = torch.randn(flat.shape, generator=chance) * 0.04 * _uniform(chance, len(flat), 1, 1, 1)
    return (flat + noise).clamp(0, 1)


def _uniform(chance: torch.Generator, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
    return low + (high - low) * torch.rand(shape, generator=chance)


def _moved(pixels: Tensor, chance: torch.Generator) -> Tensor:
    """Turned, resized, stretched and shifted; what comes in at the rim is transparent."""
    count = len(pixels)
    turn = _uniform(chance, count, low=-TURN, high=TURN)
    size = _uniform(chance, count, low=math.log(0.65), high=math.log(1.15)).exp()
    stretch = _uniform(chance, count, low=-0.15, high=0.15).exp()
    across, down = 1 / (size * stretch), stretch / size
    shift = _uniform(chance, count, 2, low=-0.12, high=0.12)
    cosine, sine = turn.cos(), turn.sin()
    rows = (
        torch.stack((cosine * across, -sine * down, shift[:, 0]), 1),
        torch.stack((sine * across, cosine * down, shift[:, 1]), 1),
    )
    grid = functional.affine_grid(torch.stack(rows, 1), list(pixels.shape), align_corners=False)
    return functional.grid_sample(pixels, grid, align_corners=False)


def _recoloured(colours: Tensor, alpha: Tensor, chance: torch.Generator) -> Tensor:
    """Other brightness, contrast, saturation and tint; some without any colour."""
    count = len(colours)
    grey = (colours * _LUMA).sum(1, keepdim=True)
    saturation = _uniform(chance, count, 1, 1, 1, low=0.3, high=1.6)
    saturation[_uniform(chance, count) < GREY_SHARE] = 0.0
    tint = _uniform(chance, count, 3, 1, 1, low=-0.15, high=0.15) * (saturation > 0)
    gain = _uniform(chance, count, 1, 1, 1, low=0.75, high=1.25)
    offset = _uniform(chance, count, 1, 1, 1, low=-0.1, high=0.1)
    changed = (grey + (colours - grey) * saturation) * gain + alpha * (tint + offset)
    return torch.minimum(changed.clamp(min=0), alpha)


def _as_lines(colours: Tensor, alpha: Tensor, chance: torch.Generator) -> tuple[Tensor, Tensor]:
    """Dark lines where colours or the rim change, over the drawing's own paled colours or over white."""
    planes = torch.cat((colours, alpha), 1)
    near = functional.max_pool2d(planes, 3, 1, 1) + functional.max_pool2d(-planes, 3, 1, 1)
    change = near.amax(1, keepdim=True)
    ink = ((change - 0.12) * _uniform(chance, len(colours), 1, 1, 1, low=3, high=8)).clamp(0, 1)
    pale = _uniform(chance, len(colours), 1, 1, 1) * (_uniform(chance, len(colours), 1, 1, 1) < 0.5)
    filled = colours * pale + alpha * (1 - pale)
    covered = torch.maximum(alpha, ink)
    return filled * (1 - ink), covered


def _backgrounds(colours: Tensor, alpha: Tensor, chance: torch.Generator) -> Tensor:
    """White, one colour, or from one colour to another, and never that of the drawing itself."""
    count, side = len(colours), colours.shape[-1]
    ends = _uniform(chance, count, 2, 3, 1, 1)
    plain = _uniform(chance, count) < 0.7
    ends[plain, 1] = ends[plain, 0]
    ends[_uniform(chance, count) < WHITE_SHARE] = 1.0
    along = torch.linspace(0, 1, side)
    ramp = torch.where(_uniform(chance, count, 1, 1, 1) < 0.5, along[None, None, None, :], along[None, None, :, None])
    behind = ends[:, 0] * (1 - ramp) + ends[:, 1] * ramp
    area = alpha.sum((1, 2, 3)).clamp(min=1)
    contrast = (colours - behind * alpha).abs().sum((1, 2, 3)) / 3 / area
    return torch.where((contrast < LEAST_CONTRAST)[:, None, None, None], 1 - behind, behind)
