"""Our extraction and its peers, called in one way: bytes of pages in, their texts and the URLs of their images out.

trafilatura and rs-trafilatura are no dependencies of ours; a peer that is not installed is left out. Every peer gets
bytes and, where it takes one, the page's URL, and runs with its defaults: trafilatura with comments, resiliparse for
main content without alt texts. Ours takes pages in batches, as the stage does.
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from selectolax.lexbor import LexborHTMLParser
from tqdm import tqdm

BATCH = 64
_T = TypeVar("_T")


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


def curate() -> Extractor:
    """Ours."""
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

    return Extractor("curate", "curate", texts, images, BATCH)


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


def installed() -> list[Extractor]:
    """Ours, and peers that are there; which ones are not is said."""
    extractors = []
    for make in (curate, _trafilatura, _rs_trafilatura, _resiliparse, _lexbor):
        try:
            extractors.append(make())
        except ModuleNotFoundError as missing:
            print(f"{make.__name__.strip('_').replace('_', '-')} is left out: {missing.name} is not installed")
    return extractors


def texts_of(extractor: Extractor, batch: Sequence[Response]) -> tuple[list[str], int]:
    """Texts of a batch, and on how many pages the extractor failed; their text is empty."""
    texts = attempt(lambda: extractor.texts(batch))
    if texts is not None:
        return texts, 0
    if len(batch) == 1:
        return [""], 1
    alone = [texts_of(extractor, [response]) for response in batch]
    return [texts[0] for texts, _ in alone], sum(failed for _, failed in alone)


def attempt(call: Callable[[], _T]) -> _T | None:
    """What a call returns; None where it fails, which is said on stderr."""
    try:
        return call()
    except BaseException as error:
        # Peers may fail in any way. A panic of Rust code is no Exception; others that are none, as an interrupt, go on.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        tqdm.write(f"{type(error).__name__}: {error}"[:200], file=sys.stderr)
        return None


def batches(items: Sequence[_T], size: int) -> list[Sequence[_T]]:
    """Items in their order, so many at a time."""
    return [items[i : i + size] for i in range(0, len(items), size)]
