"""Which words are stop words, common, flagged or spam in a language, from maintained packages; None without a list.

A language's lists are loaded when a page in it is met first, and stay: 321,180 words in English, as sorted hashes in
eight bytes, a tenth of what a set of strings takes. Of 32 bits one word in 13,000 that is not listed would have been
taken for one that is.
"""

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import distribution
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from filters import native
from filters.words import Words, flags, hashes_of, hashes_of_packed

# stopwords-iso has 1,298 English stop words where OBELICS has 301, which raises the ratio of a page by 0.11. Its 140
# most frequent ones come nearest: 0.014 apart, and the bound of 0.35 decides alike on 98.6 % of 614 English pages.
_STOP_WORDS = 140
_READ_BYTES = 1 << 20
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
# Gopher (arXiv 2112.11446, A.1.1): a document has at least two of them.
GOPHER_STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")


@cache
def stop_words_of(language: str | None) -> frozenset[str] | None:
    """The most frequent stop words of a language: of stopwords-iso, by wordfreq where it has the language."""
    return _stop_words(language, _packed_words(language))


def _stop_words(language: str | None, packed: bytes) -> frozenset[str] | None:
    import stopwordsiso

    listed = stopwordsiso.stopwords(_STOPWORDS_ISO.get(language, language)) if language else set()
    if len(listed) <= _STOP_WORDS:
        return frozenset(listed) or None
    frequent = islice((word for word in _by_frequency(packed) if word in listed), _STOP_WORDS)
    return frozenset(frequent) or frozenset(listed)


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


def _packed_words(language: str | None) -> bytes:
    """wordfreq's longest list of a language, as it comes: a header and then lists of words in msgpack, the most
    frequent first; empty where it has none. The package, which can do much else, takes a quarter of a second to import.
    """
    from fastwarc.stream_io import GzipReader  # half of what Python's gzip takes, for 60 MB of eleven languages

    name = _WORDFREQ.get(language, language) if language else None
    for size in ("large", "small"):
        path = Path(str(distribution("wordfreq").locate_file(f"wordfreq/data/{size}_{name}.msgpack.gz")))
        if path.exists():
            with path.open("rb") as file:
                packed = GzipReader(file)
                return b"".join(iter(partial(packed.read, _READ_BYTES), b""))
    return b""


def _by_frequency(packed: bytes) -> Iterator[str]:
    """Words of a list, the most frequent first."""
    import msgpack

    if packed:
        unpacker = msgpack.Unpacker(io.BytesIO(packed), max_buffer_size=len(packed))
        unpacker.read_array_header()
        unpacker.skip()
        for words in unpacker:
            yield from words


@dataclass(frozen=True)
class Lists:
    """All lists of a language.

    `entries` are sorted hashes of words; bit i of an entry says whether `native.LISTS`[i] has the word, those above
    stand for Gopher's stop words. `index` says where those begin that share their uppermost bits. `known` says of which
    lists there are any.
    """

    entries: npt.NDArray[np.uint64]
    index: npt.NDArray[np.int64]
    known: tuple[bool, ...]


@cache
def lists_of(language: str) -> Lists:
    """The lists of a language, read when one of its pages is met first."""
    packed = _packed_words(language)
    lists = (_stop_words(language, packed), None, flagged_words_of(language), spam_words_of(language))
    hashes = [None if words is None else hashes_of([*words]) for words in lists]
    hashes[native.LISTS.index("common_words")] = hashes_of_packed(packed) if packed else None
    others = [hashes_of([word]) for word in GOPHER_STOP_WORDS] if language == "en" else []
    low = np.uint64((1 << native.LIST_BITS) - 1)
    marked = [(some & ~low) | np.uint64(1 << i) for i, some in enumerate([*hashes, *others]) if some is not None]
    entries = np.concatenate([*marked, np.zeros(0, np.uint64)])
    merged, index = np.empty_like(entries), np.empty((1 << native.INDEX_BITS) + 1, np.int64)
    count = native.build_list(entries, len(entries), merged, index)
    return Lists(merged[:count], index, tuple(some is not None for some in hashes))


class Listed:
    """How many words of each text are on the lists of its language, and which of Gopher's each document has.

    `counts` has shape (LISTS, texts); `unknown`, of the same shape, says where the language has no list; `gopher` are
    numbers of different words, which mean something in English only. A compound such as plug-in is common too where
    each of its parts is. OBELICS took for common what occurs twice in 10 million documents of OSCAR, which it has not
    published; here it is what wordfreq knows, if it has a letter.
    """

    def __init__(self, words: Words, languages: Sequence[str | None], sizes: npt.NDArray[np.int64]) -> None:
        known = sorted({language for language in languages if language is not None})
        number = {language: i for i, language in enumerate(known)}
        document = np.repeat(np.arange(len(sizes)), sizes)
        language = np.array([number.get(name or "", -1) for name in languages], np.int64)[document]
        lists = [lists_of(name) for name in known]
        self.counts = np.zeros((len(native.LISTS), len(document)), np.int64)
        others, table = np.zeros(len(sizes), np.int64), flags()
        native.count_listed(
            words.ids, words.owners, len(words.ids), words.written, words.ends, words.hashes, words.kinds,
            len(words.ends), language, len(document), _addresses([some.entries for some in lists]),
            _addresses([some.index for some in lists]), len(lists), table, len(table), document,
            self.counts, others,
        )  # fmt: skip
        lacking = np.array([*([not has for has in some.known] for some in lists), [True] * len(native.LISTS)])
        self.unknown: npt.NDArray[np.bool_] = lacking[language].T
        self.gopher = np.bitwise_count(others.astype(np.uint64)).astype(np.int64)


def _addresses(arrays: Sequence[npt.NDArray[Any]]) -> npt.NDArray[np.uint64]:
    return np.array([array.ctypes.data for array in arrays], np.uint64)
