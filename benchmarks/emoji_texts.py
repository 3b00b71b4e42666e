"""Texts for concepts: names alone, in phrases, with keywords, keywords alone, and names among words of any kind.

The sentences of the pages that a model is judged on are in `emoji_pages`; none of them is among these phrases.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from emoji_concepts import Concept
from wordfreq import top_n_list, word_frequency

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
PROSE_WORDS = 3000


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


@dataclass(frozen=True)
class Prose:
    """Common words that name no concept, to hide a name among."""

    words: list[str]
    shares: npt.NDArray[np.float64]

    def around(self, concept: Concept, chance: np.random.Generator) -> str:
        """The concept's name after up to seven words and before up to seven, as in a sentence without its sense.

        What follows may be cut off by the tower's context, the name itself never is.
        """
        before, after = (int(count) for count in chance.integers(0, 8, 2))
        drawn = [self.words[i] for i in chance.choice(len(self.words), before + after, p=self.shares)]
        return " ".join([*drawn[:before], concept.name, *drawn[before:]]) + str(chance.choice(["", "."]))


def read_prose(concepts: Sequence[Concept]) -> Prose:
    """The most frequent English words without those of names; the square root makes rarer ones more than noise."""
    named = {word for concept in concepts for word in concept.name.replace("-", " ").split()}
    words = [word for word in top_n_list("en", PROSE_WORDS) if word.isalpha() and word not in named]
    shares = np.sqrt([word_frequency(word, "en") for word in words])
    return Prose(words, shares / shares.sum())
