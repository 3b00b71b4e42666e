"""Speed and quality of our extraction against its peers, over the same pages in one process.

    uv run --with trafilatura --with rs-trafilatura python benchmarks/extraction.py [--help]

trafilatura and rs-trafilatura are no dependencies of ours; a peer that is not installed is left out. Every peer gets
bytes and, where it takes one, the page's URL, and runs with its defaults: trafilatura with comments, resiliparse for
main content without alt texts. Ours takes pages in batches, as the stage does. Speed is pages a second of CPU time, all
threads together: that of one core, whatever else the machine does. Who goes first rotates by round. In the first round
("cold") nobody's caches know the pages, as in a crawl; best and median are of the later ones.

The labelled pages of WCXB are what our model of blocks is trained on. Our figures on them are marked, and say nothing
about other pages; the honest ones come from cross-validation, which `benchmarks/train_blocks.py` prints.
"""

import argparse
import gc
import gzip
import json
import os
import platform
import random
import re
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote

from selectolax.lexbor import LexborHTMLParser
from tqdm import tqdm

_BATCH = 32
_ROUNDS = 5
_SEED = 0
_BASE = "trafilatura"
_PAGES_OF_A_LANGUAGE = 5
# Read by everyone before the clock starts, so that lazy imports and models count for nobody.
_PRIMER = b"<html><body><article><h1>Primer</h1><p>Words enough to be taken for a paragraph.</p></article></body>"
_T = TypeVar("_T")


# --- what is compared


@dataclass(frozen=True)
class Response:
    """A page as bytes."""

    body: bytes
    url: str


@dataclass(frozen=True)
class Extractor:
    """One of the compared: texts of a batch of pages, and URLs of a page's images where it finds images."""

    name: str
    package: str
    texts: Callable[[Sequence[Response]], list[str]]
    images: Callable[[Response], Iterable[str]] | None = None
    batch: int = 1
    extracts: bool = True


def _curate() -> Extractor:
    from pipelines.extract.encoding import to_utf8
    from pipelines.extract.page import Page, Source, parse_pages
    from pipelines.frame.http_message import HttpHead
    from schemas.recipe import ExtractSettings

    caps, head = ExtractSettings(), HttpHead(200, {})

    def pages(batch: Sequence[Response]) -> list[Page]:
        found = parse_pages([Source(to_utf8(r.body, "")[0], r.url, head) for r in batch], caps)
        return [page if isinstance(page, Page) else Page() for page in found]

    def texts(batch: Sequence[Response]) -> list[str]:
        return [page.text for page in pages(batch)]

    def images(response: Response) -> list[str]:
        return [node.image for node in pages([response])[0].nodes if node.image is not None]

    return Extractor("curate", "curate", texts, images, _BATCH)


def _trafilatura() -> Extractor:
    import trafilatura

    def images(response: Response) -> list[str]:
        document: Any = trafilatura.bare_extraction(response.body, url=response.url, include_images=True)
        return [graphic.get("src", "") for graphic in document.body.iter("graphic")] if document else []

    texts = _one_by_one(lambda response: trafilatura.extract(response.body, url=response.url) or "")
    return Extractor("trafilatura", "trafilatura", texts, images)


def _rs_trafilatura() -> Extractor:
    from rs_trafilatura import extract_bytes

    def images(response: Response) -> list[str]:
        return [image.src for image in extract_bytes(response.body, url=response.url, include_images=True).images]

    texts = _one_by_one(lambda response: extract_bytes(response.body, url=response.url).main_content or "")
    return Extractor("rs-trafilatura", "rs-trafilatura", texts, images)


def _resiliparse() -> Extractor:
    from resiliparse.extract.html2text import extract_plain_text
    from resiliparse.parse.encoding import detect_encoding
    from resiliparse.parse.html import HTMLTree

    def text(response: Response) -> str:
        tree = HTMLTree.parse_from_bytes(response.body, detect_encoding(response.body) or "utf-8")
        return extract_plain_text(tree, main_content=True, alt_texts=False)  # alt texts are in no gold text

    return Extractor("resiliparse", "resiliparse", _one_by_one(text))


def _lexbor() -> Extractor:
    """No extraction: what merely parsing a page costs."""

    def text(response: Response) -> str:
        LexborHTMLParser(response.body)
        return ""

    return Extractor("lexbor, parse only", "selectolax", _one_by_one(text), extracts=False)


def _one_by_one(text: Callable[[Response], str]) -> Callable[[Sequence[Response]], list[str]]:
    return lambda batch: [text(response) for response in batch]


def _installed() -> list[Extractor]:
    extractors = []
    for make in (_curate, _trafilatura, _rs_trafilatura, _resiliparse, _lexbor):
        try:
            extractors.append(make())
        except ModuleNotFoundError as missing:
            print(f"{make.__name__[1:].replace('_', '-')} is left out: {missing.name} is not installed")
    return extractors


def _texts(extractor: Extractor, batch: Sequence[Response]) -> tuple[list[str], int]:
    """Texts of a batch, and on how many pages the extractor failed; their text is empty."""
    texts = _attempt(lambda: extractor.texts(batch))
    if texts is not None:
        return texts, 0
    if len(batch) == 1:
        return [""], 1
    alone = [_texts(extractor, [response]) for response in batch]
    return [texts[0] for texts, _ in alone], sum(failed for _, failed in alone)


def _attempt(call: Callable[[], _T]) -> _T | None:
    """What a call returns; None where it fails, which is said on stderr."""
    try:
        return call()
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001 - peers may fail in any way; a panic of Rust code is no Exception
        tqdm.write(f"{type(error).__name__}: {error}"[:200], file=sys.stderr)
        return None


# --- speed


Rates = dict[str, float]


@dataclass
class Clock:
    """CPU seconds of one extractor: by round, and by round and page, where pages are handed over one by one."""

    rounds: list[float] = field(default_factory=list)
    pages: list[list[float]] = field(default_factory=list)
    errors: int = 0

    def report(self) -> Rates:
        """Pages a second and milliseconds a page; each page's time is its median over the rounds."""
        count = len(self.pages[0])
        warm = self.rounds[1:] or self.rounds
        each = [1000 * statistics.median(seconds) for seconds in zip(*self.pages, strict=True)]
        return {
            "best": count / min(warm),
            "median": count / statistics.median(warm),
            "cold": count / self.rounds[0],
            "p50_ms": _quantile(each, 0.5),
            "p99_ms": _quantile(each, 0.99),
            "errors": self.errors,
        }


def measure_speed(extractors: Sequence[Extractor], pages: Sequence[Response], rounds: int) -> dict[str, Rates]:
    """What `Clock.report` says of each extractor."""
    clocks = {extractor.name: Clock() for extractor in extractors}
    for extractor in extractors:
        _texts(extractor, [Response(_PRIMER, "http://primer.test/")])
    with tqdm(total=rounds * len(extractors), desc="speed", unit="pass") as progress:
        for turn in range(rounds):
            first = turn % len(extractors)
            for extractor in (*extractors[first:], *extractors[:first]):
                _take_turn(extractor, pages, clocks[extractor.name])
                progress.update()
    return {name: clock.report() for name, clock in clocks.items()}


def _take_turn(extractor: Extractor, pages: Sequence[Response], clock: Clock) -> None:
    seconds, clock.errors = _timed(extractor, pages, extractor.batch)
    clock.rounds.append(sum(seconds))
    clock.pages.append(seconds if extractor.batch == 1 else _timed(extractor, pages, 1)[0])


def _timed(extractor: Extractor, pages: Sequence[Response], size: int) -> tuple[list[float], int]:
    """CPU seconds of each batch, and failures."""
    gc.collect()
    seconds, errors = [], 0
    for batch in _batches(pages, size):
        began = time.process_time()
        _, failed = _texts(extractor, batch)
        seconds.append(time.process_time() - began)
        errors += failed
    return seconds, errors


def _quantile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def _pages_of(warc: Path) -> list[Response]:
    """HTML responses of a WARC, with what HTTP did to their bodies undone."""
    from pipelines.frame.http_message import TooLarge, Undecodable, decode_body
    from pipelines.frame.warc import Record, Slice, read_records
    from schemas.recipe import ExtractSettings

    cap = ExtractSettings().max_page_bytes
    pages = []
    for item in read_records(Slice(str(warc)), lambda _kind, _head: cap):
        if not isinstance(item, Record) or item.head is None or item.head.status != 200 or item.truncated:
            continue
        if item.head.content_type in ("text/html", "application/xhtml+xml"):
            with suppress(TooLarge, Undecodable):
                pages.append(Response(decode_body(item.head, item.payload, cap), item.url))
    return [page for page in pages if page.body]


# --- quality


@dataclass(frozen=True)
class Case:
    """A page and what should come of it: its text, or snippets to be found and others not to be found."""

    suite: str
    response: Response
    text: str = ""
    images: frozenset[str] = frozenset()
    wanted: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()
    page_type: str = ""


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
    seen: bool = False


def _readability(folder: Path) -> Iterator[Case]:
    for path in sorted(folder.glob("*/source.html")):
        gold = LexborHTMLParser((path.parent / "expected.html").read_text("utf-8"))
        images = _file_names(image.attributes.get("src") for image in gold.css("img"))
        text = gold.body.text() if gold.body else ""
        yield Case(folder.name, Response(path.read_bytes(), f"http://fakehost/{path.parent.name}"), text, images)


def _article_extraction_benchmark(folder: Path) -> Iterator[Case]:
    for name, gold in sorted(json.loads((folder / "ground-truth.json").read_text("utf-8")).items()):
        body = gzip.decompress((folder / "html" / f"{name}.html.gz").read_bytes())
        yield Case(folder.name, Response(body, gold["url"]), gold["articleBody"])


def _trafilatura_eval(folder: Path) -> Iterator[Case]:
    for key, gold in sorted(json.loads((folder / "evaldata.json").read_text("utf-8")).items()):
        body = gzip.decompress((folder / "html" / gold["file"]).read_bytes())
        response = Response(body, key if key.startswith("http") else f"http://case.test/{gold['file']}")
        yield Case(folder.name, response, wanted=tuple(gold["with"]), unwanted=tuple(gold["without"]))


def _wcxb(folder: Path) -> Iterator[Case]:
    for line in gzip.decompress((folder / "ground-truth.jsonl.gz").read_bytes()).splitlines():
        gold = json.loads(line)
        body = gzip.decompress((folder / "html" / f"{gold['id']}.html.gz").read_bytes())
        response = Response(body, gold["url"] or f"http://case.test/{gold['id']}")
        yield Case(folder.name, response, gold["main_content"] or "", page_type=gold["page_type"])


_SUITES: dict[str, Callable[[Path], Iterator[Case]]] = {
    "readability": _readability,
    "article-extraction-benchmark": _article_extraction_benchmark,
    "trafilatura-eval": _trafilatura_eval,
    "wcxb": _wcxb,
}


def _cases_in(root: Path, at_most: int | None) -> list[Case]:
    cases: list[Case] = []
    for name, read in _SUITES.items():
        if (root / name).is_dir():
            cases += _sample(list(read(root / name)), at_most)
        else:
            print(f"no cases of {name}: {root / name} is not there")
    return cases


def _measures(cases: Sequence[Case]) -> list[Measure]:
    readability, articles, snippets, wcxb = ([i for i, c in enumerate(cases) if c.suite == suite] for suite in _SUITES)
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
    measures.append(Measure("word F1, WCXB", _word_f1, wcxb, seen=True))
    for kind, members in _grouped(wcxb, [cases[i].page_type for i in wcxb]).items():
        measures.append(Measure(f"  of these: {kind}", _word_f1, members, seen=True))
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


def measure_quality(extractors: Sequence[Extractor], cases: Sequence[Case]) -> list[dict[str, Any]]:
    """A row for each measure, with a figure for each extractor; then rows that count failures and empty texts."""
    measures = _measures(cases)
    rows = [_row(measure.name, len(measure.cases), measure.seen) for measure in measures]
    failures: dict[str, int] = {}
    empty: dict[str, int] = {}
    for extractor in extractors:
        found, failures[extractor.name] = _find(extractor, cases)
        empty[extractor.name] = sum(not each.text.strip() for each in found)
        for row, measure in zip(rows, measures, strict=True):
            row["figures"][extractor.name] = measure.metric([(cases[i], found[i]) for i in measure.cases])
    rows.append(_row("pages without text", len(cases)) | {"figures": empty})
    rows.append(_row("errors", len(cases)) | {"figures": failures})
    return rows


def _row(name: str, pages: int, seen: bool = False) -> dict[str, Any]:
    return {"measure": name, "pages": pages, "seen_in_training": seen, "figures": {}}


def _find(extractor: Extractor, cases: Sequence[Case]) -> tuple[list[Found], int]:
    """What an extractor finds on each case, and how often it failed. Images only where they are known."""
    found: list[Found] = []
    errors = 0
    with tqdm(total=len(cases), desc=extractor.name, unit="page") as progress:
        for batch in _batches(cases, _BATCH):
            texts, failed = _texts(extractor, [case.response for case in batch])
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
    names = _attempt(lambda: _file_names(find(case.response)))
    return (frozenset(), 1) if names is None else (names, 0)


def _file_names(urls: Iterable[str | None]) -> frozenset[str]:
    """Last parts of the paths of URLs: what stays when one resolves them, or rewrites their hosts."""
    paths = (re.split("[?#]", url, maxsplit=1)[0] for url in urls if url and not url.startswith("data:"))
    return frozenset(unquote(path.replace("\\", "/").rpartition("/")[2]) for path in paths)


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


# --- what is printed


def _print_speed(rates: dict[str, Rates], versions: dict[str, str]) -> None:
    base = rates.get(_BASE)
    header = ["extractor", "version", "best", "median", "cold", "p50 ms", "p99 ms", "errors"]
    rows = []
    for name, rate in rates.items():
        speeds = [f"{rate[key]:,.1f}" for key in ("best", "median", "cold")]
        ratios = [f"{rate[key] / base[key]:.2f}x" if base else "-" for key in ("best", "median", "cold")]
        both = [f"{speed} {ratio:>7}" for speed, ratio in zip(speeds, ratios, strict=True)]
        milliseconds = [f"{rate[key]:.2f}" for key in ("p50_ms", "p99_ms")]
        rows.append([name, versions[name], *both, *milliseconds, str(rate["errors"])])
    _print_table(header, rows)
    print(f"pages a second of one core, and to {_BASE}; cold: the first round; ms a page: handed over one by one\n")


def _print_quality(rows: Sequence[dict[str, Any]], names: Sequence[str]) -> None:
    cells = [[row["measure"], str(row["pages"]), *(_figure(row, name) for name in names)] for row in rows]
    _print_table(["measure", "pages", *names], cells)
    if any(row["seen_in_training"] for row in rows):
        print(_SEEN)


_SEEN = "* seen in training: the model of blocks was trained on these pages; benchmarks/train_blocks.py cross-validates"


def _figure(row: dict[str, Any], name: str) -> str:
    value = row["figures"][name]
    if not isinstance(value, float):
        return "-" if value is None else f"{value} "
    return f"{value:.3f}" + ("*" if row["seen_in_training"] and name == "curate" else " ")


def _print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for cells in (header, *rows):
        rest = (f"{cell:>{width}}" for cell, width in zip(cells[1:], widths[1:], strict=True))
        print("  ".join([f"{cells[0]:{widths[0]}}", *rest]))


# --- the run


def main() -> None:
    """Measure what was asked for, print the tables, write the JSON file."""
    options = _options()
    extractors = _installed()
    versions = {extractor.name: _version(extractor.package) for extractor in extractors}
    report: dict[str, Any] = {"python": platform.python_version(), "versions": versions}
    if options.only != "quality":
        pages = _sample(_pages_of(options.warc), options.pages) or sys.exit(f"{options.warc} holds no HTML pages")
        print(f"speed: {len(pages):,} pages of {options.warc.name}, {sum(len(p.body) for p in pages) / 1e6:.1f} MB")
        rates = measure_speed(extractors, pages, options.rounds)
        report["speed"] = {"pages": len(pages), "rounds": options.rounds, "rates": rates}
        _print_speed(rates, versions)
    if options.only != "speed":
        readers = [extractor for extractor in extractors if extractor.extracts]
        report["quality"] = measure_quality(readers, _cases_in(options.cases, options.pages))
        _print_quality(report["quality"], [reader.name for reader in readers])
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n", "utf-8")


def _options() -> argparse.Namespace:
    corpora = Path(os.environ.get("CURATE_CORPORA") or Path(__file__).resolve().parents[2] / "shared" / "corpora")
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n")[0],
        epilog="example: python benchmarks/extraction.py --only speed --rounds 3 --pages 100 --json speed.json",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--warc", type=Path, default=corpora / "warcs" / "realpages-dev.warc.gz", help="for speed (%(default)s)")
    add("--cases", type=Path, default=corpora / "extraction", help="for quality (%(default)s)")
    add("--only", choices=("speed", "quality"), help="measure only one of the two")
    add("--rounds", type=_positive, metavar="N", default=_ROUNDS, help="passes over the pages (%(default)s)")
    add("--pages", type=_positive, metavar="N", help="a sample, always the same: N pages, and N of each set of cases")
    add("--json", type=Path, metavar="FILE", help="write all figures there")
    options = parser.parse_args()
    if options.only != "quality" and not options.warc.is_file():
        parser.error(f"{options.warc} is not there: name a WARC with --warc, or the corpora's folder in CURATE_CORPORA")
    if options.only != "speed" and not options.cases.is_dir():
        parser.error(f"{options.cases} is not there: name a folder with --cases, or the corpora's in CURATE_CORPORA")
    return options


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return number


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "-"


def _batches(items: Sequence[_T], size: int) -> list[Sequence[_T]]:
    return [items[i : i + size] for i in range(0, len(items), size)]


def _sample(items: list[_T], at_most: int | None) -> list[_T]:
    """At most so many of the items, in their order, always the same ones."""
    if at_most is None or at_most >= len(items):
        return items
    return [items[i] for i in sorted(random.Random(_SEED).sample(range(len(items)), at_most))]


if __name__ == "__main__":
    main()
