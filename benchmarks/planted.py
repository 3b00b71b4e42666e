"""Texts with known copies: what `benchmarks/dedup.py` measures deduplication on.

Similarity is computed here with sets of tuples of words, apart from the hashes that are measured. Everything follows
from a seed, and scale corpora are made one partition at a time, so that a million documents take no memory.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from filters.word_hashes import mixed

Texts = list[str]
# Of scripts without spaces each letter is a word; texts in these languages cannot be edited by words between spaces.
_UNSPACED_LANGUAGES = {"ja", "zh", "th", "lo", "my", "km", "bo", "wuu", "yue"}
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"
)
_SOLID = {"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd"}
_SENTENCE_WORDS = (5, 60)
_DOCUMENT_WORDS, NODE_WORDS = 300, 60
# Of the copies in a scale corpus a third is exact, the others have up to so many words changed; one in fifty is of one
# of ten texts, as pages that come from a template are.
_MOST_EDITS, _TEMPLATES, _TEMPLATE_SHARE = 12, 10, 0.02


@cache
def _word() -> re.Pattern[str]:
    solid = [c for c in map(chr, range(0x20000)) if unicodedata.category(c) in _SOLID]
    alone = [c for c in solid if _UNSPACED.match(c) and not c.isdigit()]
    return re.compile(f"[{''.join(alone)}]|[{''.join(sorted({*solid} - {*alone}))}]+")


def words_in(text: str) -> Texts:
    """Words of a text: runs of letters, their marks and digits, without regard to case and width forms."""
    return [word for token in text.split() for word in _words_in_token(token)]


@lru_cache(1 << 20)
def _words_in_token(token: str) -> Texts:
    return _word().findall(unicodedata.normalize("NFKC", token).lower())


def jaccard(left: str, right: str, n: int = 5) -> float:
    """Jaccard similarity of the sets of word n-grams of two texts; texts of fewer words are one n-gram."""
    return _similarity(_ngrams(words_in(left), n), _ngrams(words_in(right), n))


def _similarity(left: set[tuple[str, ...]], right: set[tuple[str, ...]]) -> float:
    both = len(left & right)
    return both / (len(left) + len(right) - both)


def _ngrams(words: Texts, n: int) -> set[tuple[str, ...]]:
    return set(zip(*(words[i:] for i in range(n)), strict=False)) if len(words) >= n else {tuple(words)}


def read_texts(folder: Path) -> list[str]:
    """Texts of the documents of a folder of `documents` tables, in scripts with spaces, without empty ones."""
    found = []
    for path in sorted(folder.glob("*.parquet")):
        rows = pq.read_table(path, columns=["language", "texts"])
        for language, nodes in zip(rows["language"].to_pylist(), rows["texts"].to_pylist(), strict=True):
            if language not in _UNSPACED_LANGUAGES:
                found.append("\n".join(node for node in nodes if node))
    return [text for text in found if text]


def stretches(texts: Sequence[str], lengths: tuple[int, int], rng: np.random.Generator) -> Iterator[str]:
    """Stretches of texts, of log-uniform lengths in words; no two of them share a tenth of their 5-grams."""
    seen: set[tuple[str, ...]] = set()
    for text in texts:
        tokens, begin = text.split(), 0
        while len(tokens) - begin >= lengths[0]:
            size = int(np.exp(rng.uniform(*np.log(lengths))))
            stretch = " ".join(tokens[begin : begin + size])
            begin += size
            grams = _ngrams(words_in(stretch), 5)
            if len(words_in(stretch)) >= lengths[0] and len(grams & seen) < len(grams) / 10:
                yield stretch
            seen |= grams


def copy_of(text: str, similarity: float, vocabulary: Sequence[str], rng: np.random.Generator) -> str:
    """The text with words substituted, inserted and deleted, as close to a similarity as some number of edits comes."""
    tokens = text.split()
    places = rng.integers(0, len(tokens), len(tokens))
    # Edits beside one another change fewer n-grams, so that a short text can come close to any similarity, too.
    places = np.where(rng.random(len(tokens)) < rng.random(), np.roll(places, 1) + 1, places) % len(tokens)
    kinds, drawn = (
        rng.integers(0, 3, len(tokens)),
        [vocabulary[i] for i in rng.integers(0, len(vocabulary), len(tokens))],
    )
    grams = _ngrams(words_in(text), 5)

    def made(count: int) -> tuple[str, float]:
        edited = _edited(tokens, places[:count], kinds, drawn)
        return edited, _similarity(grams, _ngrams(words_in(edited), 5))

    least, most = 0, len(tokens)
    while least < most:  # the fewest edits that bring the similarity down to what is wanted
        middle = (least + most) // 2
        least, most = (middle + 1, most) if made(middle)[1] > similarity else (least, middle)
    return min((made(count) for count in (max(least - 1, 0), least)), key=lambda m: abs(m[1] - similarity))[0]


def _edited(tokens: Texts, places: npt.NDArray[np.int64], kinds: npt.NDArray[np.int64], drawn: Sequence[str]) -> str:
    edited = list(tokens)
    for place, kind, word in zip(places.tolist(), kinds.tolist(), drawn, strict=False):
        edited[place] = (word, f"{tokens[place]} {word}", "")[kind]
    return " ".join(token for token in edited if token)


@dataclass(frozen=True)
class Sentences:
    """Sentences of real texts, each once, of which documents are shuffled together."""

    pool: Texts
    share: float

    @classmethod
    def of(cls, texts: Sequence[str], share: float) -> "Sentences":
        """Of texts; `share` of the documents made of them are copies of others."""
        found = {" ".join(s.split()): None for text in texts for s in re.split(r"(?<=[.!?])\s+|\n", text)}
        least, most = _SENTENCE_WORDS
        return cls([s for s in found if least <= len(s.split()) <= most], share)

    def documents(self, numbers: npt.NDArray[np.uint64], total: int) -> list[Texts]:
        """Nodes of the documents with these numbers, of a corpus of `total`."""
        sources, edits = self._sources(numbers, total)
        mean = sum(len(s.split()) for s in self.pool) / len(self.pool)
        count = round(_DOCUMENT_WORDS / mean)
        drawn = mixed(np.add.outer(sources * np.uint64(count), np.arange(1, count + 1, dtype=np.uint64)))
        picks = (drawn % np.uint64(len(self.pool))).tolist()
        each = max(1, round(NODE_WORDS / mean))
        made = [[" ".join([self.pool[p] for p in row[i : i + each]]) for i in range(0, count, each)] for row in picks]
        for index in np.flatnonzero(edits).tolist():
            self._edit(made[index], int(numbers[index]), int(edits[index]))
        return made

    def _sources(
        self, numbers: npt.NDArray[np.uint64], total: int
    ) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
        draws = [_uniform(numbers, salt) for salt in range(5)]
        source = (draws[1] * total).astype(np.uint64)
        template = (draws[2] * _TEMPLATES).astype(np.uint64)
        source = np.where(draws[3] < _TEMPLATE_SHARE, template, source)
        edits = np.maximum((draws[4] * 1.5 - 0.5) * _MOST_EDITS + 1, 0).astype(np.int64)
        is_copy = draws[0] < self.share
        return np.where(is_copy, source, numbers), np.where(is_copy, edits, 0)

    def _edit(self, nodes: Texts, number: int, edits: int) -> None:
        for value in mixed(np.arange(edits, dtype=np.uint64) + np.uint64(number * 64)).tolist():
            node = value % len(nodes)
            tokens = nodes[node].split(" ")
            tokens[(value >> 8) % len(tokens)] = f"w{value >> 32}"
            nodes[node] = " ".join(tokens)


def _uniform(numbers: npt.NDArray[np.uint64], salt: int) -> npt.NDArray[np.float64]:
    return mixed(mixed(numbers + np.uint64(1)) + np.uint64(salt)).astype(np.float64) / 2.0**64
