"""Quality of extraction on labelled pages: what extractors find of the text and images that should come of them.

Our models are trained on these pages. Our figures on them say nothing about other pages; the honest ones come from
cross-validation, which `benchmarks/train_blocks.py` prints.
"""

import re
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from extraction_cases import SUITES, Case, file_names
from extraction_peers import BATCH, Extractor, attempt, batches, texts_of
from tqdm import tqdm

_PAGES_OF_A_LANGUAGE = 5


@dataclass(frozen=True)
class Found:
    """What an extractor made of a case; `images` is None where it finds none by design."""

    text: str
    images: frozenset[str] | None


Pairs = Sequence[tuple[Case, Found]]


@dataclass(frozen=True)
class Measure:
    """A figure between 0 and 1 over some of the cases; None for an extractor that it does not apply to."""

    name: str
    metric: Callable[[Pairs], float | None]
    cases: Sequence[int]

    def of(self, cases: Sequence[Case], found: Sequence[Found]) -> float | None:
        """The figure for what was found on all cases."""
        return self.metric([(cases[i], found[i]) for i in self.cases])


def measure_quality(extractors: Sequence[Extractor], cases: Sequence[Case]) -> list[dict[str, Any]]:
    """A row for each measure, with a figure for each extractor; then rows that count failures and empty texts."""
    measures = _measures(cases)
    rows = [_row(measure.name, len(measure.cases)) for measure in measures]
    failures: dict[str, int] = {}
    empty: dict[str, int] = {}
    for extractor in extractors:
        found, failures[extractor.name] = find(extractor, cases)
        empty[extractor.name] = sum(not each.text.strip() for each in found)
        for row, measure in zip(rows, measures, strict=True):
            row["figures"][extractor.name] = measure.of(cases, found)
    rows.append(_row("pages without text", len(cases)) | {"figures": empty})
    rows.append(_row("errors", len(cases)) | {"figures": failures})
    return rows


def figures(cases: Sequence[Case], found: Sequence[Found]) -> list[tuple[str, int, float | None]]:
    """Name, number of pages and figure of each measure."""
    return [(measure.name, len(measure.cases), measure.of(cases, found)) for measure in _measures(cases)]


def _row(name: str, pages: int) -> dict[str, Any]:
    return {"measure": name, "pages": pages, "figures": {}}


def find(extractor: Extractor, cases: Sequence[Case]) -> tuple[list[Found], int]:
    """What an extractor finds on each case, and how often it failed. Images only where they are known."""
    found: list[Found] = []
    errors = 0
    with tqdm(total=len(cases), desc=extractor.name, unit="page") as progress:
        for batch in batches(cases, BATCH):
            texts, failed = texts_of(extractor, [case.response for case in batch])
            errors += failed
            for case, text in zip(batch, texts, strict=True):
                images, failed = _images(extractor, case)
                found.append(Found(text, images))
                errors += failed
            progress.update(len(batch))
    return found, errors


def _images(extractor: Extractor, case: Case) -> tuple[frozenset[str] | None, int]:
    """File names of the images found, only where they are labelled, and failures to find any."""
    find = extractor.images
    if find is None or case.suite != "readability":
        return None, 0
    names = attempt(lambda: file_names(find(case.response)))
    return (frozenset(), 1) if names is None else (names, 0)


def _measures(cases: Sequence[Case]) -> list[Measure]:
    readability, articles, snippets, wcxb = ([i for i, c in enumerate(cases) if c.suite == suite] for suite in SUITES)
    readable, articles = ([i for i in suite if cases[i].text.strip()] for suite in (readability, articles))
    measures = [
        Measure("text F1, readability", _text_f1, readable),
        Measure("text F1, article-extraction-benchmark", _text_f1, articles),
    ]
    for language, members in _by_language(cases, readable + articles).items():
        measures.append(Measure(f"  of both: {language}", _text_f1, members))
    measures.append(Measure("image F1, readability", _image_f1, readability))
    measures.append(Measure("snippet F, trafilatura-eval", _snippet_f, snippets))
    for language, members in _by_language(cases, snippets).items():
        measures.append(Measure(f"  of these: {language}", _snippet_f, members))
    measures.append(Measure("word F1, WCXB", _word_f1, wcxb))
    for kind, members in _grouped(wcxb, [cases[i].page_type for i in wcxb]).items():
        measures.append(Measure(f"  of these: {kind}", _word_f1, members))
    return [measure for measure in measures if measure.cases]


def _by_language(cases: Sequence[Case], members: Sequence[int]) -> dict[str, list[int]]:
    """Cases by the language of what should be found; languages of few pages are left out."""
    from filters.language import identify

    codes, _ = identify([cases[i].text or " ".join(cases[i].wanted) for i in members])
    groups = _grouped(members, [code or "unknown" for code in codes])
    return {code: group for code, group in groups.items() if len(group) >= _PAGES_OF_A_LANGUAGE}


def _grouped(members: Sequence[int], keys: Sequence[str]) -> dict[str, list[int]]:
    """Members by key, the largest group first."""
    groups: dict[str, list[int]] = {}
    for member, key in zip(members, keys, strict=True):
        groups.setdefault(key, []).append(member)
    return dict(sorted(groups.items(), key=lambda group: (-len(group[1]), group[0])))


# --- metrics

_WORD = re.compile(r"\w+")
_GRAM = 4


def _text_f1(pairs: Pairs) -> float | None:
    """Mean F1 of bags of 4-grams of words, as in article-extraction-benchmark."""
    return statistics.fmean(_f1(_grams(found.text), _grams(case.text)) for case, found in pairs)


def _word_f1(pairs: Pairs) -> float | None:
    """Mean F1 of bags of words, as in WCXB."""
    return statistics.fmean(_f1(Counter(_words(found.text)), Counter(_words(case.text))) for case, found in pairs)


def _image_f1(pairs: Pairs) -> float | None:
    """F1 of the images of all pages together."""
    found = {(i, name) for i, (_, each) in enumerate(pairs) for name in each.images or ()}
    gold = {(i, name) for i, (case, _) in enumerate(pairs) for name in case.images}
    without = any(each.images is None for _, each in pairs)
    return None if without else _f1(Counter(found), Counter(gold))


def _snippet_f(pairs: Pairs) -> float | None:
    """F of the snippets of all pages together; white space counts as one blank."""
    hits = misses = false = 0
    for case, found in pairs:
        text = " ".join(found.text.split())
        there = sum(" ".join(snippet.split()) in text for snippet in case.wanted)
        hits, misses = hits + there, misses + len(case.wanted) - there
        false += sum(" ".join(snippet.split()) in text for snippet in case.unwanted)
    return 2 * hits / max(1, 2 * hits + misses + false)


def _f1(found: Counter[Any], gold: Counter[Any]) -> float:
    total = found.total() + gold.total()
    return 2 * (found & gold).total() / total if total else 1.0


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _grams(text: str) -> Counter[tuple[str, ...]]:
    """4-grams of words; the whole text where it is shorter."""
    words = _words(text)
    starts = range(max(len(words) - _GRAM + 1, min(len(words), 1)))
    return Counter(tuple(words[i : i + _GRAM]) for i in starts)
