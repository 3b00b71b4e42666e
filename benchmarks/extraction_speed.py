"""Speed of extraction: pages a second of CPU time, all threads together.

That is the speed of one core, whatever else the machine does. Who goes first rotates by round. In the first round
("cold") nobody's caches know the pages, as in a crawl; best and median are of the later ones.
"""

import gc
import statistics
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from extraction_peers import Extractor, Response, batches, texts_of
from tqdm import tqdm

# Read by everyone before the clock starts, so that lazy imports and models count for nobody.
_PRIMER = b"<html><body><article><h1>Primer</h1><p>Words enough to be taken for a paragraph.</p></article></body>"
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
        texts_of(extractor, [Response(_PRIMER, "http://primer.test/")])
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
    for batch in batches(pages, size):
        began = time.process_time()
        _, failed = texts_of(extractor, batch)
        seconds.append(time.process_time() - began)
        errors += failed
    return seconds, errors


def _quantile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def pages_of(warc: Path) -> list[Response]:
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
