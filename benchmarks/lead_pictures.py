"""How often the picture that a page is shared with is among its document's, where the page shows it.

    python benchmarks/lead_pictures.py [--help]

A page names that picture itself, in og:image or twitter:image: mostly the one on top of its article. Counted are pages
in whose img and source elements the file's name stands, without what says its size; some of these are logos. It is
looked for in the bytes, not by the parser that is judged.
"""

import argparse
import os
import re
from collections.abc import Sequence
from pathlib import Path

from extraction_peers import Response, batches
from extraction_speed import pages_of
from tqdm import tqdm

from pipelines.extract.encoding import to_utf8
from pipelines.extract.page import Page, Source, parse_pages
from pipelines.frame.http_message import HttpHead
from schemas.recipe import ExtractSettings

_META = re.compile(rb"<meta\b[^>]*>", re.IGNORECASE)
_IS_SHARED = re.compile(rb"(?:property|name)\s*=\s*[\"']?(?:og|twitter):image[\"'\s>]", re.IGNORECASE)
_CONTENT = re.compile(rb"content\s*=\s*(?:\"([^\"]+)|'([^']+)|([^\s\"'>]+))", re.IGNORECASE)
_SHOWN = re.compile(rb"<(?:img|source)\b[^>]*>", re.IGNORECASE)
_SIZE = re.compile(rb"(?:[-_]\d+x\d+|-scaled|@2x)?(?:\.\w{2,5})?$")
_SHORTEST, _BATCH = 5, 64


def main() -> None:
    """Print the share for each WARC."""
    corpora = Path(os.environ.get("CURATE_CORPORA") or Path(__file__).resolve().parents[2] / "shared" / "corpora")
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n")[0],
        epilog="example: python benchmarks/lead_pictures.py crawl.warc.gz --missed",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("warcs", type=Path, nargs="*", default=[corpora / "warcs" / "realpages-dev.warc.gz"])
    parser.add_argument("--missed", action="store_true", help="also print the pages without it")
    options = parser.parse_args()
    for warc in options.warcs:
        if not warc.is_file():
            parser.error(f"{warc} is not there")
        pages = pages_of(warc)
        showing = {page.url: name for page in pages if (name := shared_name(page.body)) and shows(page.body, name)}
        missed = _missed([page for page in pages if page.url in showing], showing)
        print(f"{warc.name}: {len(showing)} of {len(pages)} pages show the picture that they are shared with", end="; ")
        print(f"{len(showing) - len(missed)} documents have it")
        if options.missed:
            print(*(f"  {url}  {showing[url].decode('utf-8', 'replace')}" for url in missed), sep="\n")


def shared_name(html: bytes) -> bytes:
    """Name of the file that a page is shared with, in lower case and without its size and kind; empty for none."""
    meta = next((tag for tag in _META.findall(html) if _IS_SHARED.search(tag)), b"")
    content = _CONTENT.search(meta)
    address = next(filter(None, content.groups()), b"") if content else b""
    name = address.split(b"?")[0].rstrip(b"/").rsplit(b"/", 1)[-1].lower()
    name = _SIZE.sub(b"", name)
    return name if len(name) >= _SHORTEST else b""


def shows(html: bytes, name: bytes) -> bool:
    """Whether a name is in an element that shows a picture."""
    return any(name in tag.lower() for tag in _SHOWN.findall(html))


def _missed(pages: Sequence[Response], names: dict[str, bytes]) -> list[str]:
    found = []
    with tqdm(total=len(pages), desc="extract", unit="page") as progress:
        for batch in batches(pages, _BATCH):
            sources = [Source(to_utf8(page.body, "")[0], page.url, HttpHead(200, {})) for page in batch]
            for page, document in zip(batch, parse_pages(sources, ExtractSettings()), strict=True):
                images = [node.image or "" for node in document.nodes] if isinstance(document, Page) else []
                if not any(names[page.url] in image.lower().encode() for image in images):
                    found.append(page.url)
            progress.update(len(batch))
    return found


if __name__ == "__main__":
    main()
