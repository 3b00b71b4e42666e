"""Documents a second of our text signals against a plain loop that measures the same, and against datatrove's filters.

    python benchmarks/signals.py CRAWL.warc.gz [MORE.warc.gz …]

The loop goes through one document after another with Counter, split and regular expressions, and every value that it
finds is compared with ours. datatrove (if it is installed: `uv run --with datatrove --with spacy …`) does less, its
Gopher quality and repetition filters only; they stop at the first bound that a document fails, so its bounds are taken
off. Prints the median of several rounds and ratios to the loop.
"""

import importlib.util
import math
import re
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache, partial
from itertools import islice, pairwise
from typing import Any

import wordfreq

from filters import language, pii, text_signals
from filters.characters import PUNCTUATION_MARKS, UNSPACED, UNSPACED_RANGES, class_table
from filters.lines import _BULLETS, _CLOSING, _DATE, _NAVIGATION, _POLICY, _SOCIAL, _STOPS, _TERMINAL, _WIDE_STOPS
from filters.word_lists import _WORDFREQ, SPAM_WORDS, flagged_words_of, stop_words_of
from filters.words import APOSTROPHES, EDGES
from pipelines.extract.page import Page, parse_pages
from pipelines.extract.records import HtmlPage, interpret, payload_cap
from pipelines.frame.warc import Record, Slice, read_records
from schemas.recipe import ExtractSettings

_ROUNDS = 5
_BATCH = 32
Documents = Sequence[Sequence[str]]
Languages = Sequence[str | None]
Values = dict[str, Any]
_GOPHER = {"the", "be", "to", "of", "and", "that", "have", "with"}


def read_documents(paths: Sequence[str]) -> list[list[str]]:
    """Texts of every HTML page of some WARCs, as extract makes them."""
    caps = ExtractSettings()
    pages = [
        found.source
        for path in paths
        for record in read_records(Slice(path), partial(payload_cap, caps))
        if isinstance(record, Record) and isinstance(found := interpret(record, caps), HtmlPage)
    ]
    parsed = [page for i in range(0, len(pages), _BATCH) for page in parse_pages(pages[i : i + _BATCH], caps)]
    return [list(page.texts) for page in parsed if isinstance(page, Page) and page.texts]


def ours(documents: Documents, languages: Languages) -> list[tuple[list[Values], Values]]:
    """What extract measures, in batches as it does."""
    measured = []
    for i in range(0, len(documents), _BATCH):
        some = documents[i : i + _BATCH]
        nodes, whole = text_signals.measure_documents(some, languages[i : i + _BATCH])
        rows = iter(_rows(nodes.values))
        for document, row in zip(some, _rows(whole.values), strict=True):
            measured.append((list(islice(rows, len(document))), row))
    return measured


def _rows(columns: Any) -> list[Values]:
    lists = {name: values if isinstance(values, list) else values.tolist() for name, values in columns.items()}
    return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]


def plain(documents: Documents, languages: Languages) -> list[tuple[list[Values], Values]]:
    """The same values, one document after another."""
    return [plain_document(texts, code) for texts, code in zip(documents, languages, strict=True)]


def plain_document(texts: Sequence[str], code: str | None) -> tuple[list[Values], Values]:
    """Signals of a document's texts and of the document."""
    words = [plain_words(text) for text in texts]
    nodes = [plain_text(text, some, code) for text, some in zip(texts, words, strict=True)]
    summed = {name for name in nodes[0] if not name.endswith("_ratio")}
    whole = {name: _sum([node[name] for node in nodes]) for name in summed}
    joined = "\n\n".join(texts)
    length = max(len(joined), 1)
    for name in ("characters", "special_characters", "spaces"):
        whole[name] += 2 * (len(texts) - 1)
    of_document = [word for some in words for word in some]
    whole["character_repetition_ratio"] = _top_share(joined)
    whole["word_repetition_ratio"] = _repeated_share(of_document)
    whole["gopher_stop_words"] = len(_GOPHER & set(of_document)) if code == "en" else None
    lines = [line for text in texts for line in text.split("\n") if line]
    for name, pieces in (("line", lines), ("paragraph", list(texts))):
        again = [piece for i, piece in enumerate(pieces) if piece in set(pieces[:i])]
        whole[f"duplicate_{name}_ratio"] = len(again) / max(len(pieces), 1)
        whole[f"duplicate_{name}_character_ratio"] = sum(map(len, again)) / length
    for n in range(2, 5):
        whole[f"top_{n}gram_character_ratio"] = _top_characters(of_document, n) / length
    for n in range(5, 11):
        whole[f"duplicate_{n}gram_character_ratio"] = _duplicate_characters(of_document, n) / length
    return nodes, whole


_UNSPACED = "".join(f"{chr(first)}-{chr(last)}" for first, last in UNSPACED_RANGES)
_UNSPACED_LETTER = re.compile(f"[{_UNSPACED}]|[^\\s{_UNSPACED}]+")
_PLAIN_APOSTROPHES = str.maketrans(dict.fromkeys(APOSTROPHES, "'"))


def plain_words(text: str) -> list[str]:
    """Words of a text, as `filters.words` defines them."""
    tokens = _UNSPACED_LETTER.findall(text.lower()) if any(map(_is_unspaced, text)) else text.lower().split()
    words = [token if token.isalnum() else token.strip(EDGES).translate(_PLAIN_APOSTROPHES) for token in tokens]
    return [word for word in words if any(map(str.isalnum, word))]


def _is_unspaced(character: str) -> bool:
    return bool(class_table()[min(ord(character), 0x3FFFF)] == UNSPACED)


def plain_text(text: str, words: list[str], code: str | None) -> Values:
    """Signals of one text."""
    lower = text.lower()
    kinds = [int(class_table()[min(ord(character), 0x3FFFF)]) for character in text]
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    found = Counter(finding.kind for finding in pii.find(text))
    digits = kinds.count(3)
    written = sum(
        any(int(class_table()[min(ord(character), 0x3FFFF)]) in (3, 4, 5) for character in token)
        for token in text.split()
    )
    counted = written + kinds.count(UNSPACED)
    return {
        "words": counted,
        "characters": len(text),
        "special_characters": sum(kind <= 3 for kind in kinds),
        "punctuation_marks": sum(character in PUNCTUATION_MARKS for character in text),
        "spaces": kinds.count(0),
        "digits": digits,
        "uppercase_letters": kinds.count(5),
        "alphabetic_words": sum(any(map(str.isalpha, word)) for word in words),
        "word_characters": sum(map(len, words)),
        **_plain_lists(words, code, unspaced=UNSPACED in kinds),
        "lines": len(lines),
        "bullet_lines": sum(line[0] in _BULLETS for line in lines),
        "ellipsis_lines": sum(line.endswith(("...", "…")) for line in lines),
        "terminal_lines": sum(line[-1] in _TERMINAL and not line.endswith("...") for line in lines),
        "hash_marks": text.count("#"),
        "ellipses": text.count("...") + text.count("…"),
        "curly_brackets": text.count("{") + text.count("}"),
        "lorem_ipsum": lower.count("lorem ipsum"),
        "javascript": lower.count("javascript"),
        "policy_phrases": sum(lower.count(phrase) for phrase in _POLICY),
        "navigation_phrases": sum(lower.count(phrase) for phrase in _NAVIGATION),
        "social_counters": int(lower.rstrip().endswith(_SOCIAL)),
        "bylines": int(lower.lstrip().startswith("by ")),
        "dates": len(_DATE.findall(text)) if digits >= 3 else 0,
        **{signal: found[kind] for kind, signal in pii.SIGNALS.items()},
        "sentences": _sentences(text, counted),
        "character_repetition_ratio": _top_share(text),
        "word_repetition_ratio": _repeated_share(words),
    }


def _plain_lists(words: list[str], code: str | None, *, unspaced: bool) -> Values:
    listed = {
        "stop_words": stop_words_of(code),
        "flagged_words": flagged_words_of(code),
        "spam_words": SPAM_WORDS if code == "en" else None,
        "common_words": _known_words(code),
    }
    if unspaced:
        return dict.fromkeys(listed)
    counted: Values = {
        name: None if some is None else sum(word in some for word in words)
        for name, some in listed.items()
        if name != "common_words"
    }
    known = listed["common_words"]
    return counted | {"common_words": None if known is None else sum(_is_common(word, known) for word in words)}


@cache
def _known_words(code: str | None) -> frozenset[str] | None:
    name = _WORDFREQ.get(code, code) if code else None
    known = name in wordfreq.available_languages("best")
    return frozenset(wordfreq.iter_wordlist(name)) if known else None


def _is_common(word: str, known: frozenset[str]) -> bool:
    if not any(map(str.isalpha, word)):
        return False
    parts = [part for part in re.findall(r"[^\W_]+", word) if not part.isdecimal()]
    return word in known or (not word.isalnum() and all(part in known for part in parts))


def _sentences(text: str, words: int) -> int:
    stops = _STOPS + _WIDE_STOPS
    ends = 0
    for here, after in pairwise(text + "\n"):
        if here in stops and after not in stops:
            ends += after.isspace() or after in _CLOSING or here in _WIDE_STOPS
    rest = "".join(text.split()).rstrip(_CLOSING)
    return ends + (words > 0 and (not rest or rest[-1] not in stops))


def _top_share(text: str) -> float:
    counts = sorted(Counter(text[i : i + 10] for i in range(len(text) - 9)).values(), reverse=True)
    top = min(math.isqrt(len(counts)), sum(count > 1 for count in counts))
    return sum(counts[:top]) / max(sum(counts), 1)


def _grams(words: list[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


def _repeated_share(words: list[str]) -> float:
    counts = Counter(_grams(words, 5))
    return sum(count for count in counts.values() if count > 1) / max(sum(counts.values()), 1)


def _top_characters(words: list[str], n: int) -> int:
    top = Counter(_grams(words, n)).most_common(1)
    return top[0][1] * len(" ".join(top[0][0])) if top and top[0][1] > 1 else 0


def _duplicate_characters(words: list[str], n: int) -> int:
    seen: set[tuple[str, ...]] = set()
    inside: set[int] = set()
    for place, gram in enumerate(_grams(words, n)):
        if gram in seen:
            inside.update(range(place, place + n))
        seen.add(gram)
    return sum(len(words[place]) for place in inside)


def _sum(values: list[Any]) -> Any:
    return None if None in values else sum(values)


def differences(left: list[tuple[list[Values], Values]], right: list[tuple[list[Values], Values]]) -> list[str]:
    """Values that are not the same, floats within a millionth, as lines to print."""
    told = []
    for number, ((nodes, whole), (other_nodes, other)) in enumerate(zip(left, right, strict=True)):
        for a, b in [*zip(nodes, other_nodes, strict=True), (whole, other)]:
            assert a.keys() == b.keys(), a.keys() ^ b.keys()
            told += [
                f"document {number}, {name}: {a[name]} and {b[name]}" for name in a if not _equal(a[name], b[name])
            ]
    return told


def _equal(a: Any, b: Any) -> bool:
    return a == b or (isinstance(a, float) and b is not None and abs(a - b) < 1e-6)


def datatrove(documents: Documents, _: Languages) -> None:
    """datatrove's Gopher filters for English, with bounds that nothing fails."""
    for texts in documents:
        for gopher in _datatrove_filters():
            gopher("\n\n".join(texts))


@cache
def _datatrove_filters() -> list[Callable[[str], Any]]:
    from datatrove.data import Document
    from datatrove.pipeline.filters import GopherQualityFilter, GopherRepetitionFilter

    never = 1e9
    orders = {"top_n_grams": range(2, 5), "dup_n_grams": range(5, 11)}
    bounds = {name: tuple((n, never) for n in some) for name, some in orders.items()}
    filters = [
        GopherQualityFilter(1, 10**9, 1e-9, 10**9, never, never, never, 1e-9, 0),
        GopherRepetitionFilter(never, never, never, never, **bounds),
    ]

    def judged(gopher: Any, text: str) -> Any:
        return gopher.filter(Document(text=text, id=""))

    return [partial(judged, gopher) for gopher in filters]


def _rate(measure: Callable[[Documents, Languages], Any], documents: Documents, languages: Languages) -> float:
    began = time.perf_counter()
    measure(documents, languages)
    return len(documents) / (time.perf_counter() - began)


def main(paths: list[str]) -> None:
    """Compare the values, then print the table."""
    documents = read_documents(paths)
    languages, _ = language.identify(["\n\n".join(texts) for texts in documents])
    told = differences(ours(documents, languages), plain(documents, languages))
    print(f"{len(documents):,} documents, {sum(map(len, documents)):,} texts; values that differ: {len(told)}")
    print(*told[:20], sep="\n")
    measures: list[Callable[[Documents, Languages], Any]] = [plain, ours]
    if importlib.util.find_spec("datatrove") and importlib.util.find_spec("spacy"):
        english = [i for i, code in enumerate(languages) if code == "en"]
        documents, languages = [documents[i] for i in english], ["en"] * len(english)
        print(f"{len(english):,} English documents, since datatrove needs a tokeniser of its own for each language")
        datatrove(documents, languages)
        measures.append(datatrove)
    rates: dict[str, list[float]] = {measure.__name__: [] for measure in measures}
    for _ in range(_ROUNDS):
        for measure in measures:
            rates[measure.__name__].append(_rate(measure, documents, languages))
    base = statistics.median(rates["plain"])
    print(f"{'measure':10} {'documents/s':>12} {'min':>8} {'max':>8} {'to plain':>9}")
    for name, measured in rates.items():
        median = statistics.median(measured)
        print(f"{name:10} {median:12,.0f} {min(measured):8,.0f} {max(measured):8,.0f} {median / base:8.2f}x")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1:])
