"""How good extraction is: on golden pages of our own, with floors that nobody lowers by accident, and on benchmarks.

A golden page is invented: `pages/NAME.html` with the texts and image file names that are its content in `NAME.json`.
`pages/floors.json` holds the floors, and the digest of all pages and floors: whoever changes one of them has to change
the digest too, `print(digest())`, and says so.
"""

import gzip
import hashlib
import json
import random
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from selectolax.lexbor import LexborHTMLParser

from pipelines.extract.page import Page
from tests.corpora import corpora
from tests.extraction_metrics import extract, f1, file_name, grams, images_of, snippet_f, words

PAGES = Path(__file__).parent / "pages"
NAMES = sorted(path.stem for path in PAGES.glob("*.html"))
FLOORS: dict[str, Any] = json.loads((PAGES / "floors.json").read_text("utf-8"))
LOWEST_MEAN = 0.80


def digest() -> str:
    """SHA-256 over the golden pages and the floors."""
    hashed = hashlib.sha256()
    for path in sorted(path for path in PAGES.iterdir() if path.name != "floors.json"):
        hashed.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    hashed.update(json.dumps([FLOORS["mean"], FLOORS["pages"]], sort_keys=True).encode())
    return hashed.hexdigest()


def gold_of(name: str) -> dict[str, Any]:
    gold: dict[str, Any] = json.loads((PAGES / f"{name}.json").read_text("utf-8"))
    return gold


@cache
def golden_scores() -> dict[str, dict[str, float]]:
    """F1 of the words and of the images of each golden page."""
    gold = {name: gold_of(name) for name in NAMES}
    found = extract([((PAGES / f"{name}.html").read_bytes(), gold[name]["url"]) for name in NAMES])
    return {
        name: {
            "text": f1(words(page.text), words("\n".join(gold[name]["texts"]))),
            "image": f1(images_of(page), gold[name]["images"]),
        }
        for name, page in zip(NAMES, found, strict=True)
    }


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("what", ["text", "image"])
def test_a_golden_page_is_as_good_as_it_was(name: str, what: str) -> None:
    assert golden_scores()[name][what] >= FLOORS["pages"][name][what]


@pytest.mark.parametrize("what", ["text", "image"])
def test_golden_pages_are_as_good_as_they_were_on_the_whole(what: str) -> None:
    assert fmean(scores[what] for scores in golden_scores().values()) >= FLOORS["mean"][what]


def test_floors_and_golden_pages_are_changed_knowingly() -> None:
    assert set(FLOORS["pages"]) == set(NAMES)
    assert min(FLOORS["mean"].values()) >= LOWEST_MEAN
    assert fmean(floors["text"] for floors in FLOORS["pages"].values()) >= LOWEST_MEAN
    assert FLOORS["digest"] == digest()


@pytest.mark.parametrize("name", NAMES)
def test_golden_texts_and_images_stand_in_their_page_in_that_order(name: str) -> None:
    tree = LexborHTMLParser((PAGES / f"{name}.html").read_text("utf-8"))
    for node in tree.css("math, rt, rp, .mw-editsection"):
        node.decompose()
    plain = "".join(tree.root.text().split()) if tree.root else ""
    at = 0
    for text in gold_of(name)["texts"]:
        if "\\" not in text:  # a formula's TeX
            at = plain.find("".join(text.split()), at)
            assert at >= 0, text
    html = (PAGES / f"{name}.html").read_text("utf-8")
    assert all(html.count(image) for image in gold_of(name)["images"])


# --- benchmarks, where they are: the models were trained on these pages, so they show that weights and features belong
# together and that nothing broke, not how good extraction is. `benchmarks/train_blocks.py` cross-validates.


@cache
def suite(name: str) -> Path:
    return corpora() / "extraction" / name


def text_f1(found: list[Page], gold: list[str]) -> float:
    """Mean F1 of bags of 4-grams over the pages that have a text."""
    return fmean(f1(grams(page.text), grams(text)) for page, text in zip(found, gold, strict=True) if text.strip())


@cache
def readability() -> tuple[list[Page], list[LexborHTMLParser]]:
    folders = sorted(path.parent for path in suite("readability").glob("*/source.html"))
    found = extract([((folder / "source.html").read_bytes(), f"http://fakehost/{folder.name}") for folder in folders])
    return found, [LexborHTMLParser((folder / "expected.html").read_text("utf-8")) for folder in folders]


def test_texts_of_readabilitys_pages() -> None:
    found, gold = readability()
    assert text_f1(found, [tree.body.text() if tree.body else "" for tree in gold]) >= 0.945


def test_images_of_readabilitys_pages() -> None:
    found, gold = readability()
    wanted = [
        {file_name(src) for node in tree.css("img") if (src := node.attributes.get("src")) and src[:5] != "data:"}
        for tree in gold
    ]
    ours = {(i, name) for i, page in enumerate(found) for name in images_of(page)}
    assert f1(ours, {(i, name) for i, names in enumerate(wanted) for name in names}) >= 0.72


def test_texts_of_the_article_extraction_benchmark() -> None:
    folder = suite("article-extraction-benchmark")
    cases = sorted(json.loads((folder / "ground-truth.json").read_text("utf-8")).items())
    bodies = [
        (gzip.decompress((folder / "html" / f"{name}.html.gz").read_bytes()), gold["url"]) for name, gold in cases
    ]
    assert text_f1(extract(bodies), [gold["articleBody"] for _, gold in cases]) >= 0.965


def test_snippets_of_trafilaturas_pages() -> None:
    folder = suite("trafilatura-eval")
    cases = sorted(json.loads((folder / "evaldata.json").read_text("utf-8")).items())
    bodies = [
        (gzip.decompress((folder / "html" / gold["file"]).read_bytes()), url if "://" in url else "http://case.test/")
        for url, gold in cases
    ]
    found = extract(bodies)
    assert snippet_f((p.text, g["with"], g["without"]) for p, (_, g) in zip(found, cases, strict=True)) >= 0.935


def test_texts_of_wcxbs_pages() -> None:
    folder = suite("wcxb")
    lines = gzip.decompress((folder / "ground-truth.jsonl.gz").read_bytes()).splitlines()
    cases = [gold for line in lines if ((gold := json.loads(line))["main_content"] or "").strip()]
    cases = random.Random(0).sample(cases, 150)
    bodies = [
        (gzip.decompress((folder / "html" / f"{gold['id']}.html.gz").read_bytes()), gold["url"] or "http://case.test/")
        for gold in cases
    ]
    found = extract(bodies)
    scores = [f1(words(page.text), words(gold["main_content"])) for page, gold in zip(found, cases, strict=True)]
    assert fmean(scores) >= 0.89
