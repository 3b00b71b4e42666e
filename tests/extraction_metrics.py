"""How well texts and images of pages were found: bags of words, bags of word n-grams, sets of file names, snippets."""

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from urllib.parse import unquote, urlsplit

from pipelines.extract.encoding import to_utf8
from pipelines.extract.page import Page, Source, parse_pages
from pipelines.frame.http_message import HttpHead
from schemas.recipe import ExtractSettings

_AT_ONCE = 32


def extract(pages: Sequence[tuple[bytes, str]]) -> list[Page]:
    """Pages, given their bytes and URLs; an empty one where extraction ends with a status."""
    caps, head, found = ExtractSettings(), HttpHead(200, {}), []
    for begin in range(0, len(pages), _AT_ONCE):
        sources = [Source(to_utf8(body, "")[0], url, head) for body, url in pages[begin : begin + _AT_ONCE]]
        found += [page if isinstance(page, Page) else Page() for page in parse_pages(sources, caps)]
    return found


def f1(found: Iterable[Hashable], gold: Iterable[Hashable]) -> float:
    """Harmonic mean of precision and recall of two bags; 1 where both are empty."""
    one, other = Counter(found), Counter(gold)
    shared, total = sum((one & other).values()), sum(one.values()) + sum(other.values())
    return 2 * shared / total if total else 1.0


def words(text: str) -> list[str]:
    """Words in lower case; each letter of Han and kana is one."""
    return re.findall(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+", text.lower())


def grams(text: str, size: int = 4) -> list[tuple[str, ...]]:
    """Runs of so many words; the whole text where it is shorter."""
    tokens = re.findall(r"\w+", text.lower())
    if len(tokens) <= size:
        return [tuple(tokens)] if tokens else []
    return list(zip(*(tokens[i:] for i in range(size)), strict=False))


def images_of(page: Page) -> set[str]:
    """File names of the images of a page."""
    return {file_name(node.image) for node in page.nodes if node.image is not None}


def file_name(url: str) -> str:
    """The last part of a URL's path: what stays when it is resolved or its host rewritten."""
    return unquote(urlsplit(url).path.rpartition("/")[2])


def snippet_f(cases: Iterable[tuple[str, Sequence[str], Sequence[str]]]) -> float:
    """F of snippets over all texts together: those that should be in a text, and those that should not."""
    found = missed = wrong = 0
    for text, wanted, unwanted in cases:
        line = " ".join(text.split())
        there = sum(" ".join(snippet.split()) in line for snippet in wanted)
        found, missed = found + there, missed + len(wanted) - there
        wrong += sum(" ".join(snippet.split()) in line for snippet in unwanted)
    return 2 * found / max(2 * found + missed + wrong, 1)
