"""Texts for concepts: names alone, in phrases, with keywords, and keywords alone, as training draws them.

The sentences of the pages that a model is judged on are in `emoji_pages`; none of them is among these phrases.
"""

from collections.abc import Sequence

import numpy as np
from emoji_concepts import Concept

PHRASES = (
    "{}",
    "a picture of {}",
    "an emoji of {}",
    "{} emoji",
    "{} icon",
    "a drawing of {}",
    "a small drawing that shows {}",
    "a cartoon of {}",
    "a sticker with {}",
    "{} on a plain background",
    "{}, drawn in a few colours",
    "the symbol for {}",
    "here is {}",
    "this is {}",
    "look at this: {}",
    "there was {} on the table",
    "we talked about {} today",
    "a story about {}",
    "what {} looks like",
    "how to draw {}",
    "figure 1: {}",
    "{} (illustration)",
    "my friend sent me {} yesterday",
    "he likes {} more than anything else",
    "the first thing that you see is {}",
)
# Shares of texts: the name alone, in a phrase, with one or two keywords, and keywords without the name.
SHARES = (0.35, 0.35, 0.15, 0.15)


def drawn_text(concept: Concept, chance: np.random.Generator) -> str:
    """One text for a concept, drawn by `SHARES`; the name in a phrase where there are too few keywords."""
    kind = int(chance.choice(len(SHARES), p=SHARES))
    if kind == 0:
        return concept.name
    if kind == 1 or len(concept.keywords) < kind:
        return str(chance.choice(PHRASES)).format(concept.name)
    count = min(len(concept.keywords), int(chance.integers(kind - 1, kind + 1)))
    some = [str(word) for word in chance.choice(concept.keywords, count, replace=False)]
    return ", ".join([concept.name, *some] if kind == 2 else some)


def drawn_texts(concepts: Sequence[Concept], chance: np.random.Generator) -> list[str]:
    """One text for each concept."""
    return [drawn_text(concept, chance) for concept in concepts]
