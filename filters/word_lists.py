"""Which words are stop words, common, flagged or spam in a language, from maintained packages; None without a list.

A list is loaded when a page of its language is met first, and stays: stop words and flagged words as small sets, common
words, 321,180 in English, as sorted checksums of eight bytes, a tenth of what a set of strings takes. Of 32 bits one
word in 13,000 that is not listed would have been taken for one that is.
"""

import json
import re
from collections.abc import Sequence
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from zlib import adler32, crc32

import numpy as np
import numpy.typing as npt

from filters.words import Words

Mask = npt.NDArray[np.bool_]
Checksums = npt.NDArray[np.uint64]

# stopwords-iso has 1,298 English stop words where OBELICS has 301, which raises the ratio of a page by 0.11. Its 140
# most frequent ones come nearest: 0.014 apart, and the bound of 0.35 decides alike on 98.6 % of 614 English pages.
_STOP_WORDS = 140
# ISO codes of lid.176 to the names that the packages use.
_WORDFREQ = {"no": "nb", "nn": "nb", "tl": "fil", "hr": "sh", "bs": "sh"}
_STOPWORDS_ISO = {"nb": "no", "nn": "no"}
_FLAGGED = {
    "ar": "arabic", "zh": "chinese", "cs": "czech", "da": "danish", "nl": "dutch", "en": "english", "eo": "esperanto",
    "fi": "finnish", "fr": "french", "de": "german", "hi": "hindi", "hu": "hungarian", "it": "italian",
    "ja": "japanese", "ko": "korean", "no": "norwegian", "fa": "persian", "pl": "polish", "pt": "portuguese",
    "ru": "russian", "es": "spanish", "sv": "swedish", "th": "thai", "tr": "turkish",
}  # fmt: skip
# Boilerplate words of sign-up and share boxes, counted in English paragraphs: huggingface/OBELICS@0fca7ba,
# build_obelics/13_final_processing.py (its "newletter" is theirs).
SPAM_WORDS = frozenset(
    "access account blogger bloggers click comment contact content cookie cookies download facebook flickr follow "
    "instagram interested licensed like list loading log logged mailing might newletter password pinterest policy post "
    "privacy reddit share sign sign-up subscribe terms tweet twitter website youtube".split()
)
_PART = re.compile(r"[^\W_]+")


@cache
def stop_words_of(language: str | None) -> frozenset[str] | None:
    """The most frequent stop words of a language: of stopwords-iso, by wordfreq where it has the language."""
    import stopwordsiso

    listed = stopwordsiso.stopwords(_STOPWORDS_ISO.get(language, language)) if language else set()
    if len(listed) <= _STOP_WORDS:
        return frozenset(listed) or None
    frequent = [word for word in _by_frequency(language) if word in listed]
    return frozenset(frequent[:_STOP_WORDS] or listed)


@cache
def flagged_words_of(language: str | None) -> frozenset[str] | None:
    """Single words of the list of dirty, naughty and obscene words that C4 used too, as glin-profanity keeps it."""
    if language not in _FLAGGED:
        return None
    # Located, not imported: the package's own code, which matches disguised words, is not needed.
    name = f"glin_profanity/data/dictionaries/{_FLAGGED[language]}.json"
    listed = json.loads(Path(str(distribution("glin-profanity").locate_file(name))).read_text(encoding="utf-8"))
    return frozenset(word.lower() for word in listed["words"] if " " not in word)


@cache
def spam_words_of(language: str | None) -> frozenset[str] | None:
    """OBELICS' words of sign-up and share boxes; they are English."""
    return SPAM_WORDS if language == "en" else None


@cache
def _common_checksums(language: str | None) -> Checksums | None:
    listed = _by_frequency(language)
    return np.unique(_checksums(listed)) if listed else None


def _by_frequency(language: str | None) -> list[str]:
    """Words of a language by wordfreq, the most frequent first; empty where it has none."""
    import wordfreq

    name = _WORDFREQ.get(language, language) if language else None
    if name not in wordfreq.available_languages("best"):
        return []
    words = list(wordfreq.iter_wordlist(name))
    wordfreq.get_frequency_list.cache_clear()  # it would hold every list that was ever read
    return words


def _checksums(words: Sequence[str]) -> Checksums:
    encoded = [word.encode("utf-8", "replace") for word in words]
    high = np.fromiter(map(crc32, encoded), np.uint64, len(words))
    return (high << np.uint64(32)) | np.fromiter(map(adler32, encoded), np.uint64, len(words))


class ListedWords:
    """Which words of a vocabulary are on the lists of a language; masks as long as the vocabulary, or None."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._sums = _checksums(words.vocabulary)
        compound = [i for i, word in enumerate(words.vocabulary) if not word.isalnum()]
        parts = [[part for part in _PART.findall(words.vocabulary[i]) if not part.isdecimal()] for i in compound]
        self._compound = np.array(compound, np.int64)
        self._part_owner = np.repeat(np.arange(len(parts)), [len(some) for some in parts])
        self._parts = _checksums([part for some in parts for part in some])

    def listed(self, words: frozenset[str] | None) -> Mask | None:
        """Words of the vocabulary that are among some words."""
        if words is None:
            return None
        mask = np.zeros(len(self._words.index), np.bool_)
        mask[[self._words.index[word] for word in words if word in self._words.index]] = True
        return mask

    def common(self, language: str | None) -> Mask | None:
        """Words with a letter that wordfreq knows; a compound such as plug-in also where it knows each of its parts.

        OBELICS took words that occur twice in 10 million documents of OSCAR, which it has not published.
        """
        known = _common_checksums(language)
        if known is None:
            return None
        mask = _is_in(self._sums, known)
        strange = np.bincount(self._part_owner[~_is_in(self._parts, known)], minlength=len(self._compound))
        mask[self._compound] |= strange == 0
        return mask & self._words.alphabetic


def _is_in(values: Checksums, known: Checksums) -> Mask:
    place = np.minimum(np.searchsorted(known, values), len(known) - 1)
    found: Mask = known[place] == values
    return found
