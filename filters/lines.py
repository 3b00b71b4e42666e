"""Lines, sentences and phrases of texts: what Gopher, C4 and OmniCorpus judge besides words and characters."""

import re
from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from filters.characters import SPACE, Characters, Counts

Mask = npt.NDArray[np.bool_]

# Gopher (arXiv 2112.11446, A.1.1): lines that start with a bullet point; datatrove takes the first two for one.
_BULLETS = "•-‣◦▪●–*·"
_ELLIPSIS = "…"
# C4 (arXiv 1910.10683, 2.2) keeps lines that end in a period, exclamation mark, question mark or end quotation mark.
_TERMINAL = ".!?\"'”’»。！？」』؟।"
_STOPS, _WIDE_STOPS = ".!?…", "。！？؟।॥"
_CLOSING = ")]\"'”’»"
# C4, tensorflow/datasets c4_utils.py: lines that hold one of these are about the site.
_POLICY = ("terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies")
# OmniCorpus, human_feedback_textfiltering/text_filter/filters.py (OpenGVLab/OmniCorpus@ce4a012): in lines of 10 words.
_NAVIGATION = ("sign-in", "sign in", "sign up", "read more", "item in cart", "items in cart")
_SOCIAL = ("likes", "followers", "subscribes", "share", "comments", "comments:", "dislikes", "comment", "comment.")
_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}"
_DATE = re.compile(
    rf"\b(?:{_MONTH}\.? \d{{1,2}}, \d{{4}}|\d{{1,2}} {_MONTH} \d{{4}}|\d{{4}}-\d\d-\d\d|\d\d?/\d\d?/\d{{4}}|"
    r"[0-2]?\d:[0-5]\d(?::[0-5]\d)?)\b"
)


@cache
def _table(characters: str) -> Mask:
    table = np.zeros(0x10000, np.bool_)
    table[[ord(character) for character in characters]] = True
    return table


def _among(points: npt.NDArray[np.uint32], characters: str) -> Mask:
    found: Mask = _table(characters)[np.minimum(points, 0xFFFF)]
    return found


def line_counts(characters: Characters) -> dict[str, Counts]:
    """Per text: lines that are not empty, and those that begin with a bullet, end in an ellipsis, end a sentence.

    A line that ends in an ellipsis does not end a sentence (C4).
    """
    points = characters.points
    solid = np.flatnonzero(characters.classes != SPACE)
    line = np.cumsum(points == ord("\n"))[solid]
    changes = line[1:] != line[:-1]
    begins = solid[np.concatenate(([True], changes))] if len(solid) else solid
    ends = solid[np.concatenate((changes, [True]))] if len(solid) else solid
    dots = (points[ends] == ord(".")) & (points[ends - 1] == ord(".")) & (points[ends - 2] == ord(".")) & (ends >= 2)
    ellipsis = dots | _among(points[ends], _ELLIPSIS)
    return {
        "lines": characters.count_at(begins),
        "bullet_lines": characters.count_at(begins[_among(points[begins], _BULLETS)]),
        "ellipsis_lines": characters.count_at(ends[ellipsis]),
        "terminal_lines": characters.count_at(ends[_among(points[ends], _TERMINAL) & ~ellipsis]),
    }


def sentences(characters: Characters, words: Counts) -> Counts:
    """Sentences of each text: runs of stops before a space, a closing mark or the end, and a rest without one.

    Counts "e.g." as an end; MMC4 and C4 use NLTK's Punkt, which does not.
    """
    points, classes = characters.points, characters.classes
    stops = np.flatnonzero(_among(points, _STOPS + _WIDE_STOPS))
    after = points[stops + 1]
    run_ends = ~_among(after, _STOPS + _WIDE_STOPS)
    closed = (classes[stops + 1] == SPACE) | _among(after, _CLOSING) | _among(points[stops], _WIDE_STOPS)
    ended = characters.count_at(stops[run_ends & closed])
    return ended + (_open_end(characters) & (words > 0)).astype(np.int64)


def _open_end(characters: Characters) -> Mask:
    """Texts whose last character, closing marks aside, is no stop."""
    solid = np.flatnonzero((characters.classes != SPACE) & ~_among(characters.points, _CLOSING))
    last = np.searchsorted(solid, characters.starts + characters.lengths) - 1
    if not len(solid):
        return np.zeros(len(characters.starts), np.bool_)
    place = solid[np.maximum(last, 0)]
    inside = (last >= 0) & (place >= characters.starts)
    open_: Mask = ~(inside & _among(characters.points[place], _STOPS + _WIDE_STOPS))
    return open_


def symbol_counts(characters: Characters, texts: Sequence[str]) -> dict[str, Counts]:
    """Per text: # and ellipses (Gopher's symbols), and curly brackets (C4)."""
    points = characters.points
    dots = np.fromiter((text.count("...") for text in texts), np.int64, len(texts))
    return {
        "hash_marks": characters.count_at(np.flatnonzero(points == ord("#"))),
        "ellipses": dots + characters.count_at(np.flatnonzero(points == ord(_ELLIPSIS))),
        "curly_brackets": characters.count_at(np.flatnonzero(_among(points, "{}"))),
    }


def phrase_counts(texts: Sequence[str], lowered: Sequence[str], digits: Counts) -> dict[str, Counts]:
    """Per text: English phrases by which C4 and OmniCorpus know lines about the site, and dates and times of day."""
    size = len(texts)

    def counted(values: Iterable[int]) -> Counts:
        return np.fromiter(values, np.int64, size)

    dated = zip(texts, (digits >= 3).tolist(), strict=True)
    return {
        "lorem_ipsum": counted(text.count("lorem ipsum") for text in lowered),
        "javascript": counted(text.count("javascript") for text in lowered),
        "policy_phrases": counted(sum(map(text.count, _POLICY)) for text in lowered),
        "navigation_phrases": counted(sum(map(text.count, _NAVIGATION)) for text in lowered),
        "social_counters": counted(text.rstrip().endswith(_SOCIAL) for text in lowered),
        "bylines": counted(text.lstrip().startswith("by ") for text in lowered),
        "dates": counted(len(_DATE.findall(text)) if has_digits else 0 for text, has_digits in dated),
    }


def duplicate_ratios(documents: Sequence[Sequence[str]], characters: Counts) -> dict[str, npt.NDArray[np.float32]]:
    """Per document: lines and paragraphs (texts) that were there before, as shares of all and of its characters.

    Gopher (arXiv 2112.11446), table A1.
    """
    lines = [[line for text in document for line in text.split("\n") if line] for document in documents]
    measured = {"line": [_repeats(some) for some in lines], "paragraph": [_repeats(some) for some in documents]}
    ratios = {}
    for name, repeats in measured.items():
        share = [again / total if total else 0.0 for again, total, _ in repeats]
        mass = np.array([size for *_, size in repeats], np.float64)
        ratios[f"duplicate_{name}_ratio"] = np.array(share, np.float32)
        ratios[f"duplicate_{name}_character_ratio"] = (mass / np.maximum(characters, 1)).astype(np.float32)
    return ratios


def _repeats(pieces: Sequence[str]) -> tuple[int, int, int]:
    """How many pieces were there before, how many there are, and how long the repeated ones are together."""
    again, size = len(pieces) - len(set(pieces)), 0
    if again:
        seen: set[str] = set()
        for piece in pieces:
            size += len(piece) if piece in seen else 0
            seen.add(piece)
    return again, len(pieces), size
