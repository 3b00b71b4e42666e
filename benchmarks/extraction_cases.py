"""Labelled pages of four collections: what should come of each."""

import gzip
import json
import random
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from extraction_peers import Response
from selectolax.lexbor import LexborHTMLParser

_SEED = 0
_SECOND_LEVEL = frozenset({"com", "org", "net", "gov", "edu"})
_T = TypeVar("_T")


@dataclass(frozen=True)
class Case:
    """A page and what should come of it: its text, or snippets to be found and others not to be found.

    `site` is the name of its domain, without what is in front of it and behind: pages of one site look alike.
    """

    suite: str
    site: str
    response: Response
    text: str = ""
    images: frozenset[str] = frozenset()
    wanted: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()
    page_type: str = ""


def _readability(folder: Path) -> Iterator[Case]:
    for path in sorted(folder.glob("*/source.html")):
        gold = LexborHTMLParser((path.parent / "expected.html").read_text("utf-8"))
        images = file_names(image.attributes.get("src") for image in gold.css("img"))
        text = gold.body.text() if gold.body else ""
        response = Response(path.read_bytes(), f"http://fakehost/{path.parent.name}")
        yield Case(folder.name, re.sub(r"-\d+$", "", path.parent.name), response, text, images)


def _article_extraction_benchmark(folder: Path) -> Iterator[Case]:
    for name, gold in sorted(json.loads((folder / "ground-truth.json").read_text("utf-8")).items()):
        body = gzip.decompress((folder / "html" / f"{name}.html.gz").read_bytes())
        yield Case(folder.name, site_of(gold["url"]), Response(body, gold["url"]), gold["articleBody"])


def _trafilatura_eval(folder: Path) -> Iterator[Case]:
    for key, gold in sorted(json.loads((folder / "evaldata.json").read_text("utf-8")).items()):
        body = gzip.decompress((folder / "html" / gold["file"]).read_bytes())
        response = Response(body, key if key.startswith("http") else f"http://case.test/{gold['file']}")
        site = site_of(key.replace("hard::", "http://").removesuffix(".html"))
        yield Case(folder.name, site, response, wanted=tuple(gold["with"]), unwanted=tuple(gold["without"]))


def _wcxb(folder: Path) -> Iterator[Case]:
    for line in gzip.decompress((folder / "ground-truth.jsonl.gz").read_bytes()).splitlines():
        gold = json.loads(line)
        body = gzip.decompress((folder / "html" / f"{gold['id']}.html.gz").read_bytes())
        response = Response(body, gold["url"] or f"http://case.test/{gold['id']}")
        site = site_of(gold["url"]) or gold["id"]
        yield Case(folder.name, site, response, gold["main_content"] or "", page_type=gold["page_type"])


def site_of(url: str) -> str:
    """The name of a URL's domain, near enough: `bbc` of www.bbc.co.uk, and of an archive's copy of it."""
    host = urlsplit("http://" + url.rpartition("://")[2]).netloc.lower().partition(":")[0].removeprefix("www.")
    labels = host.split(".")
    in_suffix = len(labels) > 2 and (len(labels[-2]) == 2 or labels[-2] in _SECOND_LEVEL)
    return labels[-3 if in_suffix else -2] if len(labels) > 1 else host


SUITES: dict[str, Callable[[Path], Iterator[Case]]] = {
    "readability": _readability,
    "article-extraction-benchmark": _article_extraction_benchmark,
    "trafilatura-eval": _trafilatura_eval,
    "wcxb": _wcxb,
}


def cases_in(root: Path, at_most: int | None) -> list[Case]:
    """Cases of all collections in a folder, of each a sample."""
    cases: list[Case] = []
    for name, read in SUITES.items():
        if (root / name).is_dir():
            cases += sample(list(read(root / name)), at_most)
        else:
            print(f"no cases of {name}: {root / name} is not there")
    return cases


def sample(items: list[_T], at_most: int | None) -> list[_T]:
    """At most so many of the items, in their order, always the same ones."""
    if at_most is None or at_most >= len(items):
        return items
    return [items[i] for i in sorted(random.Random(_SEED).sample(range(len(items)), at_most))]


def file_names(urls: Iterable[str | None]) -> frozenset[str]:
    """Last parts of the paths of URLs: what stays when one resolves them, or rewrites their hosts."""
    paths = (re.split("[?#]", url, maxsplit=1)[0] for url in urls if url and not url.startswith("data:"))
    return frozenset(unquote(path.replace("\\", "/").rpartition("/")[2]) for path in paths)
