"""Lines, sentences and phrases of texts: what Gopher, C4 and OmniCorpus judge besides words and characters."""

import re
from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from filters import native
from filters.characters import CLASSES, LETTER, Characters, Counts, class_table

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
_PHRASES = {
    "lorem_ipsum": ("lorem ipsum",), "javascript": ("javascript",), "policy_phrases": _POLICY,
    "navigation_phrases": _NAVIGATION,
}  # fmt: skip
_SOCIAL = ("likes", "followers", "subscribes", "share", "comments", "comments:", "dislikes", "comment", "comment.")
# Each begins with one of the characters of the first class, and a word with it: what begins with a class is found four
# times as fast as what begins with the edge of a word.
_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}"
_MONTH_FROM_SECOND_LETTER = (
    "(?:(?<=J)(?:an|un|ul)|(?<=F)eb|(?<=M)a[ry]|(?<=A)(?:pr|ug)|(?<=S)ep|(?<=O)ct|(?<=N)ov|(?<=D)ec)[a-z]{0,6}"
)
_DATE = re.compile(
    rf"[0-9JFMASOND](?<!\w.)(?:{_MONTH_FROM_SECOND_LETTER}\.? \d{{1,2}}, \d{{4}}|"
    rf"(?<=\d)(?:\d? {_MONTH} \d{{4}}|\d{{3}}-\d\d-\d\d|\d?/\d\d?/\d{{4}}|(?:(?<=[0-2])\d)?:[0-5]\d(?::[0-5]\d)?))\b"
)
_MARKS_SIZE = 0x10000


@cache
def _marks() -> npt.NDArray[np.uint8]:
    """What each code point is to lines and sentences, bits of `native`."""
    marks = np.zeros(_MARKS_SIZE, np.uint8)
    for characters, bit in (
        (_BULLETS, native.BULLET), (_ELLIPSIS, native.ELLIPSIS), (_TERMINAL, native.TERMINAL),
        (_STOPS + _WIDE_STOPS, native.STOP), (_WIDE_STOPS, native.WIDE), (_CLOSING, native.CLOSING),
    ):  # fmt: skip
        marks[[ord(character) for character in characters]] |= bit
    return marks


class Counted:
    """Characters of each text by class, shape (CLASSES, texts), and by name what is counted besides them.

    words: whitespace-separated tokens with a letter or digit, and each letter of a script without spaces.
    lines: those that are not empty; bullet_lines begin with a bullet, ellipsis_lines end in an ellipsis, terminal_lines
    end a sentence, which a line that ends in an ellipsis does not (C4).
    sentences: runs of stops before a space, a closing mark or the end, and a rest without one. Counts "e.g." as an end;
    MMC4 and C4 use NLTK's Punkt, which does not.
    hash_marks, ellipses: Gopher's symbols. curly_brackets: C4's.
    """

    def __init__(self, characters: Characters) -> None:
        classes, marks = class_table(), _marks()
        texts = len(characters.lengths)
        counts = np.empty((CLASSES + len(native.COUNTED), texts), np.int64)
        native.count_characters(
            characters.points, characters.starts, characters.lengths, texts, classes, len(classes), marks, len(marks),
            counts,
        )  # fmt: skip
        self.by_class: Counts = counts[:CLASSES]
        self.of: dict[str, Counts] = dict(zip(native.COUNTED, counts[CLASSES:], strict=True))

    def special(self) -> Counts:
        """Characters that are no letters: whitespace, digits, punctuation and symbols, as OBELICS counts them."""
        counted: Counts = self.by_class[:LETTER].sum(axis=0)
        return counted


def phrase_counts(
    texts: Sequence[str], lowered: Sequence[str], characters: Characters, digits: Counts
) -> dict[str, Counts]:
    """Per text: English phrases by which C4 and OmniCorpus know lines about the site, and dates and times of day.

    `lowered` are the texts in lower case, and `characters` those of them.
    """

    def counted(values: Iterable[int]) -> Counts:
        return np.fromiter(values, np.int64, len(texts))

    dated = zip(texts, (digits >= 3).tolist(), strict=True)
    return {
        **_times(characters),
        "social_counters": counted(text.rstrip().endswith(_SOCIAL) for text in lowered),
        "bylines": counted(text.lstrip().startswith("by ") for text in lowered),
        "dates": counted(len(_DATE.findall(text)) if has_digits else 0 for text, has_digits in dated),
    }


def _times(characters: Characters) -> dict[str, Counts]:
    """How often each text has one of the phrases of a signal."""
    phrases = [phrase for some in _PHRASES.values() for phrase in some]
    joined = np.frombuffer("".join(phrases).encode("utf-32-le"), np.uint32)
    counts = np.zeros((len(phrases), len(characters.lengths)), np.int64)
    native.count_phrases(
        characters.points, characters.starts, characters.lengths, len(characters.lengths), joined,
        np.cumsum([len(phrase) for phrase in phrases]), len(phrases), counts,
    )  # fmt: skip
    rows = iter(counts)
    return {name: np.sum([next(rows) for _ in some], axis=0) for name, some in _PHRASES.items()}


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
