"""Copies of documents and paragraphs: each kind, which one stays, and that how a job is cut and run changes nothing."""

import random
from pathlib import Path
from typing import Any

import pytest

from pipelines.frame import exchange as exchanges
from pipelines.frame import ledger
from pipelines.frame.engines import spill
from pipelines.frame.engines.beam import BeamEngine
from pipelines.frame.stage import Job
from schemas.tables import FREQUENT_IMAGES
from tests.copied_job import Page, Shown, a_job, copies, edited, find_copies, jaccard, prose, rows
from tests.recipe_parts import RecipeParts

HOST = "https://a.example"
URL: RecipeParts = {"dedup": {"text": {"url": True}}}
EXACT: RecipeParts = {"dedup": {"text": {"exact": True}}}
NEAR: RecipeParts = {"dedup": {"text": {"near": {"jaccard": 0.8}}}}
SETS: RecipeParts = {"dedup": {"text": {"image_sets": True}}}


def paragraphs(**settings: object) -> RecipeParts:
    return {"dedup": {"text": {"paragraphs": settings}}}


def page(name: str, *nodes: str | Shown, **about: Any) -> Page:
    return Page(f"{HOST}/{name}", nodes or (prose(name),), **about)


@pytest.mark.parametrize(
    "other",
    [
        "https://a.example/garden", "http://a.example/garden/", "https://www.a.example/garden",
        "https://A.EXAMPLE/garden#beds", "https://a.example/garden?utm_source=x&fbclid=1", "http://a.example:80/garden",
        "https://a.example/garden?",
    ],
)  # fmt: skip
def test_of_captures_of_a_page_the_latest_stays(tmp_path: Path, other: str) -> None:
    pages = [page("garden", prose(1), day=1), Page(other, (prose(2),), day=3), page("garden", prose(3), day=2)]
    latest = f"{other} 3"
    assert copies(find_copies(a_job(tmp_path, pages, **URL)), pages) == {
        (f"{HOST}/garden 1", -1, "url", latest), (f"{HOST}/garden 2", -1, "url", latest),
    }  # fmt: skip


@pytest.mark.parametrize(
    "other",
    ["https://b.example/garden", "https://a.example/Garden", "https://a.example/garden?page=2",
     "https://a.example:8080/garden", "https://shop.a.example/garden"],
)  # fmt: skip
def test_other_pages_are_no_captures_of_it(tmp_path: Path, other: str) -> None:
    pages = [page("garden", prose(1)), Page(other, (prose(1),))]
    assert copies(find_copies(a_job(tmp_path, pages, **URL)), pages) == set()


def test_parameters_in_another_order_are_the_same_page_and_an_unknown_time_is_the_oldest(tmp_path: Path) -> None:
    pages = [page("list?b=2&a=1", day=5), page("list?a=1&b=2", day=None)]
    assert copies(find_copies(a_job(tmp_path, pages, **URL)), pages) == {
        (f"{HOST}/list?a=1&b=2 None", -1, "url", f"{HOST}/list?b=2&a=1 5")
    }


def test_equal_words_in_equal_order_are_exact_copies_and_the_smallest_id_stays(tmp_path: Path) -> None:
    text = prose("same")
    shouted = f"{text[:50].upper()} — {text[50:]}!"
    pages = [
        page("one", text), page("two", shouted), page("three", *text.split(" ", 1)),
        page("reversed", " ".join(text.split()[::-1])), page("more", f"{text} and more"),
    ]  # fmt: skip
    equal = sorted(pages[:3], key=lambda p: p.doc_id)
    best = f"{equal[0].url} 0"
    assert copies(find_copies(a_job(tmp_path, pages, **EXACT)), pages) == {
        (f"{p.url} 0", -1, "exact", best) for p in equal[1:]
    }


def test_pages_without_a_text_are_no_copies_of_one_another(tmp_path: Path) -> None:
    empty = [(), ("",), ("—", "!"), (Shown("https://a.example/x.jpg"),)]
    pages = [page(f"{n}", *nodes) if nodes else Page(f"{HOST}/{n}", ()) for n, nodes in enumerate(empty * 2)]
    everything: RecipeParts = {
        "dedup": {"text": {"url": True, "exact": True, "near": {}, "paragraphs": {"min_words": 1}}}
    }
    assert copies(find_copies(a_job(tmp_path, pages, **everything)), pages) == set()


@pytest.mark.parametrize(("changes", "near"), [(0, True), (2, True), (9, False)])
def test_texts_are_near_copies_from_the_recipes_similarity_on(tmp_path: Path, changes: int, near: bool) -> None:
    text = prose("original", 300)
    other = edited(text, changes)
    expected = {0: 1.0, 2: 0.935, 9: 0.736}[changes]
    assert jaccard(text, other) == pytest.approx(expected, abs=0.002)
    pages = [page("one", text), page("other", other), page("unlike")]
    found = copies(find_copies(a_job(tmp_path, pages, **NEAR)), pages)
    assert [kind for _, _, kind, _ in found] == ([] if not near else ["near" if changes else "exact"])


def test_a_pair_at_the_very_bound_is_a_copy_and_one_just_below_is_not(tmp_path: Path) -> None:
    text = prose("bound", 100)
    other = edited(text, 2)
    exactly = jaccard(text, other)
    pages = [page("one", text), page("other", other)]
    for bound, expected in ((exactly, 1), (exactly + 1e-9, 0)):
        near: RecipeParts = {"dedup": {"text": {"near": {"jaccard": bound, "permutations": 216, "bands": 72}}}}
        assert len(copies(find_copies(a_job(tmp_path / f"{expected}", pages, **near)), pages)) == expected


def test_copies_of_copies_are_one_group_in_which_the_best_page_stays(tmp_path: Path) -> None:
    chain = [prose("chain", 400)]
    for step in range(4):
        words = chain[-1].split()
        words[20 + 90 * step : 26 + 90 * step] = [f"step{step}"] * 6
        chain.append(" ".join(words))
    assert jaccard(chain[0], chain[-1]) < 0.85 < jaccard(chain[0], chain[1])
    pages = [page(f"{n}", text, score=0.99 if n == 2 else 0.6) for n, text in enumerate(chain)]
    near: RecipeParts = {"dedup": {"text": {"near": {"jaccard": 0.93}}}}
    assert copies(find_copies(a_job(tmp_path, pages, **near)), pages) == {
        (f"{HOST}/{n} 0", -1, "near", f"{HOST}/2 0") for n in (0, 1, 3, 4)
    }


@pytest.mark.parametrize(
    ("survivor", "stays"), [("quality", "sure"), ("words", "long"), ("images", "pictures"), ("language_score", "sure")]
)
def test_the_recipe_says_which_copy_stays(tmp_path: Path, survivor: str, stays: str) -> None:
    text = prose("survivor", 300)
    pictures = [Shown(f"{HOST}/{n}.jpg") for n in range(3)]
    pages = [
        page("sure", text, score=0.99), page("long", f"{text} with some more", score=0.5),
        page("pictures", text, *pictures, score=0.5),
    ]  # fmt: skip
    settings: RecipeParts = {"dedup": {"text": {"near": {}, "survivor": survivor}}}
    found = copies(find_copies(a_job(tmp_path, pages, **settings)), pages)
    assert {survivor for *_, survivor in found} == {f"{HOST}/{stays} 0"}
    assert len(found) == 2


def test_documents_with_the_same_set_of_images_are_copies_and_the_latest_stays(tmp_path: Path) -> None:
    a, b = Shown(f"{HOST}/a.jpg"), Shown(f"{HOST}/b.jpg")
    pages = [
        page("old", a, prose(1), b, day=1), page("new", prose(2), b, a, b, day=2), page("part", a, prose(3), day=9),
        page("none", prose(4)), page("also-none", prose(5)),
    ]  # fmt: skip
    assert copies(find_copies(a_job(tmp_path, pages, **SETS)), pages) == {
        (f"{HOST}/old 1", -1, "image_set", f"{HOST}/new 2")
    }


NOTICE, SHORT = "please read our notice about cookies and visits", "read more here"


def notices(*hosts: str, of: str = NOTICE, times: int = 1) -> list[Page]:
    """Pages of hosts with a text of their own around a paragraph."""
    return [Page(f"https://{host}/{n}", (prose(f"{host} {n}"), *[of] * times)) for n, host in enumerate(hosts)]


def test_a_paragraph_that_a_host_repeats_stays_in_its_best_document_alone(tmp_path: Path) -> None:
    pages = [*notices("a.example", "a.example", "a.example"), *notices("b.example", "b.example")]
    best = min(pages[:3], key=lambda p: p.doc_id)
    found = copies(find_copies(a_job(tmp_path, pages, **paragraphs())), pages)
    assert found == {(f"{p.url} 0", 1, "paragraph", f"{best.url} 0") for p in pages[:3] if p is not best}


def test_all_occurrences_go_where_none_is_kept(tmp_path: Path) -> None:
    pages = notices("a.example", "a.example", "a.example")
    found = copies(find_copies(a_job(tmp_path, pages, **paragraphs(keep="none"))), pages)
    assert found == {(f"{p.url} 0", 1, "paragraph", None) for p in pages}


@pytest.mark.parametrize(("counted", "expected"), [("documents", []), ("occurrences", [2, 3])])
def test_what_is_counted_are_documents_or_occurrences(tmp_path: Path, counted: str, expected: list[int]) -> None:
    pages = notices("a.example", times=3)
    found = copies(find_copies(a_job(tmp_path, pages, **paragraphs(counted=counted))), pages)
    assert sorted(position for _, position, _, _ in found) == expected


def test_inside_the_document_that_keeps_a_paragraph_all_its_occurrences_stay(tmp_path: Path) -> None:
    pages = notices("a.example", "a.example", "a.example", times=2)
    best = min(pages, key=lambda p: p.doc_id)
    found = copies(find_copies(a_job(tmp_path, pages, **paragraphs())), pages)
    assert found == {(f"{p.url} 0", n, "paragraph", f"{best.url} 0") for p in pages if p is not best for n in (1, 2)}


def test_short_paragraphs_and_those_of_too_few_documents_are_left_alone(tmp_path: Path) -> None:
    pages = [*notices(*["a.example"] * 5, of=SHORT), *notices("c.example", "c.example")]
    assert copies(find_copies(a_job(tmp_path, pages, **paragraphs())), pages) == set()
    lower = paragraphs(min_words=3, copies=2)
    assert len(copies(find_copies(a_job(tmp_path / "lower", pages, **lower)), pages)) == 4 + 1


def test_paragraphs_of_documents_that_are_copies_are_not_counted(tmp_path: Path) -> None:
    text = prose("whole page")
    pages = [page(f"{n}", text, NOTICE) for n in range(4)] + [page("other", prose("other"), NOTICE)]
    settings: RecipeParts = {"dedup": {"text": {"exact": True, "paragraphs": {}}}}
    assert {kind for _, _, kind, _ in copies(find_copies(a_job(tmp_path, pages, **settings)), pages)} == {"exact"}


def test_image_urls_that_too_many_documents_show_are_listed_where_they_are_shown(tmp_path: Path) -> None:
    logo, rare = Shown(f"{HOST}/logo.png"), Shown(f"{HOST}/rare.png")
    pages = [page(f"{n}", prose(n), logo, logo, *([rare] * 5 if n < 2 else [])) for n in range(4)]
    pages.append(page("without", prose("without")))
    job = find_copies(a_job(tmp_path, pages, [2, 4], dedup={"text": {"max_image_documents": 3}}))
    assert rows(job, FREQUENT_IMAGES) == [{"url": logo.url, "documents": 4}] * 2
    four = find_copies(a_job(tmp_path / "more", pages, dedup={"text": {"max_image_documents": 4}}))
    assert rows(four, FREQUENT_IMAGES) == []


EVERY_KIND = {
    "url": True, "exact": True, "near": {"jaccard": 0.8}, "image_sets": True, "paragraphs": {},
    "max_image_documents": 3,
}  # fmt: skip
EVERYTHING: RecipeParts = {"dedup": {"text": EVERY_KIND}}


def a_crawl(size: int = 160, seed: int = 0) -> list[Page]:
    """Pages of every kind of copy, shuffled."""
    rng = random.Random(seed)
    pages: list[Page] = []
    for n in range(size // 8):
        host, text = f"https://h{n % 4}.example", prose(n, 200)
        own, logo = Shown(f"{host}/{n}.jpg"), Shown(f"{host}/logo.png")
        notice = f"notice of the host number {n % 4} for all"
        pages += [
            Page(f"{host}/{n}", (text, own, notice, logo), day=n, score=rng.choice([0.5, 0.9])),
            Page(f"{host}/{n}/", (prose((n, "was"), 150), logo), day=n - 1),
            Page(f"{host}/copy-{n}", (text, notice), day=n, score=rng.choice([0.5, 0.9])),
            *[Page(f"{host}/near-{n}-{c}", (edited(text, c), notice), score=rng.choice([0.5, 0.9])) for c in (1, 3)],
            Page(f"{host}/set-{n}", (prose((n, "set"), 150), own, logo), day=n),
            Page(f"{host}/only-{n}", (prose((n, "only"), 150), notice, Shown(f"{host}/{n % 3}-often.jpg"))),
            Page(f"{host}/empty-{n}", ()),
        ]
    rng.shuffle(pages)
    return pages


def content(job: Job) -> list[dict[str, Any]]:
    """All that dedup_text says, in order, whatever the partitions."""
    found = sorted(rows(job), key=lambda row: (row["doc_id"], row["position"], row["kind"]))
    frequent = {(row["url"], row["documents"]) for row in rows(job, FREQUENT_IMAGES)}
    return [*found, {"frequent": sorted(frequent)}]


def table_bytes(job: Job) -> list[bytes]:
    names = [n for folder in ("text_duplicates", "frequent_images") for n in job.workspace.list(folder)]
    return [Path(job.workspace.path(name)).read_bytes() for name in names]


CUTS = [1, 15, 15, 70, 111]


@pytest.fixture(scope="module")
def crawl() -> list[Page]:
    return a_crawl()


@pytest.fixture(scope="module")
def whole(crawl: list[Page], tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    found = content(find_copies(a_job(tmp_path_factory.mktemp("whole"), crawl, **EVERYTHING)))
    kinds = {row["kind"] for row in found[:-1]}
    assert kinds == {"url", "exact", "near", "image_set", "paragraph"}
    assert len(found[-1]["frequent"]) >= 4
    return found


@pytest.mark.parametrize("cuts", [[80], CUTS, list(range(10, 160, 10))])
def test_every_slicing_finds_the_same(
    tmp_path: Path, crawl: list[Page], whole: list[dict[str, Any]], cuts: list[int]
) -> None:
    assert content(find_copies(a_job(tmp_path, crawl, cuts, **EVERYTHING))) == whole


@pytest.mark.parametrize("how", ["many buckets", "small ranges", "another order of arrival"])
def test_buckets_ranges_and_the_order_of_arrival_change_no_byte(
    tmp_path: Path, crawl: list[Page], monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    expected = table_bytes(find_copies(a_job(tmp_path / "one", crawl, CUTS, **EVERYTHING)))
    if how == "many buckets":
        monkeypatch.setattr(spill, "BUCKET_BYTES", 2000)
        monkeypatch.setattr(exchanges, "KEY_BYTES", 2000)
    elif how == "small ranges":
        monkeypatch.setattr(exchanges, "KEY_BYTES", 500)
    else:
        arrive_backwards(monkeypatch)
    assert table_bytes(find_copies(a_job(tmp_path / "other", crawl, CUTS, **EVERYTHING))) == expected


def arrive_backwards(monkeypatch: pytest.MonkeyPatch) -> None:
    """A runner may bring the values of a key in any order."""
    monkeypatch.setattr(exchanges.Merging, "__call__", _merge_backwards)


def _merge_backwards(merging: Any, group: tuple[int, Any]) -> Any:
    for key, arrays in merging.merge(group[0], [exchanges.unpack(packed) for packed in group[1]][::-1]):
        yield key, exchanges.pack(arrays)


def test_by_beam_the_same_bytes_come_out(tmp_path: Path, crawl: list[Page]) -> None:
    expected = table_bytes(find_copies(a_job(tmp_path / "one", crawl, CUTS, **EVERYTHING)))
    by_beam = BeamEngine(("--runner=FnApiRunner",))
    job = find_copies(a_job(tmp_path / "other", crawl, CUTS, **EVERYTHING), engine=by_beam)
    assert table_bytes(job) == expected


def test_pages_that_fail_the_screen_make_no_other_page_go(tmp_path: Path) -> None:
    text, notice, logo = prose("text", 200), NOTICE, Shown(f"{HOST}/logo.png")
    passing = page("passing", text, notice, logo, score=0.5)
    failing = [
        page("passing", prose("later"), notice, logo, day=9, language="de"),
        page("exact", text, notice, logo, language="de"), page("near", edited(text, 1), notice, logo, language="de"),
        page("set", prose("set"), logo, day=9, language=None),
    ]  # fmt: skip
    settings: RecipeParts = {
        "dedup": {"text": {**EVERY_KIND, "max_image_documents": 1}},
        "screen": {"document": [{"signal": "language", "in": ["en"], "missing": "drop"}]},
    }
    for pages in ([*failing, passing], [passing, *failing]):
        job = find_copies(a_job(tmp_path / pages[0].doc_id, pages, [2], **settings))
        assert content(job) == [{"frequent": []}]
    tallies = [record.tallies["documents"] for record in ledger.read_all(job.workspace, "dedup_text").values()]
    assert sum(tally.reasons.get("screen", 0) for tally in tallies) == len(failing)
    assert all(tally.adds_up for tally in tallies)


def test_pages_of_an_unknown_language_are_compared_too_and_a_known_one_stays(tmp_path: Path) -> None:
    text = prose("unknown")
    pages = [page("a", text, score=None, language=None), page("b", text, score=0.2), page("c", text, score=None)]
    job = find_copies(a_job(tmp_path, pages, [1], **NEAR))
    assert copies(job, pages) == {(f"{HOST}/{name} 0", -1, "exact", f"{HOST}/b 0") for name in "ac"}


def test_of_a_corpus_of_one_page_one_stays(tmp_path: Path) -> None:
    text, logo = prose("only", 200), Shown(f"{HOST}/logo.png")
    pages = [Page(f"https://h{n}.example/{n}", (text, logo)) for n in range(700)]
    job = find_copies(a_job(tmp_path, pages, [100, 350], **EVERYTHING))
    best = min(page.doc_id for page in pages)
    found = rows(job)
    assert {row["survivor"] for row in found} == {best}
    assert {row["kind"] for row in found} == {"exact"}
    assert {row["doc_id"] for row in found} == {page.doc_id for page in pages} - {best}


def test_one_host_may_have_all_pages(tmp_path: Path) -> None:
    pages = [page(f"{n}", prose(n, 60), NOTICE) for n in range(500)]
    job = find_copies(a_job(tmp_path, pages, [50, 400], **EVERYTHING))
    found = rows(job)
    best = min(p.doc_id for p in pages)
    assert [(row["position"], row["kind"], row["survivor"]) for row in found] == [(1, "paragraph", best)] * 499
    assert best not in {row["doc_id"] for row in found}


def test_a_job_without_documents_and_a_partition_without_any_are_no_error(tmp_path: Path) -> None:
    assert rows(find_copies(a_job(tmp_path / "none", [], **EVERYTHING))) == []
    pages = [page("one"), page("two")]
    assert rows(find_copies(a_job(tmp_path / "some", pages, [0, 0, 1, 2], **EVERYTHING))) == []


def test_of_a_page_that_two_files_hold_the_first_files_stays_whatever_arrives_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = [page("twice", prose(1), NOTICE, Shown(f"{HOST}/a.jpg"))] * 2
    recipes = {"url": URL, "exact": NEAR, "image_set": SETS, "paragraph": paragraphs(copies=2)}
    for number, (kind, settings) in enumerate(recipes.items()):
        for backwards in (False, True):
            if backwards:
                arrive_backwards(monkeypatch)
            job = a_job(tmp_path / f"{number}{backwards}", pages, [1], own_files=True, **settings)
            first, second = (rows(Job(job.workspace, job.recipe, (p,))) for p in find_copies(job).partitions)
            assert (first, {row["kind"] for row in second}) == ([], {kind})


def test_which_copies_are_found_does_not_depend_on_where_the_file_is_cut(tmp_path: Path) -> None:
    """With one value in one band all texts are candidates of one another; only some pairs are alike."""
    near: RecipeParts = {"dedup": {"text": {"near": {"jaccard": 0.8, "permutations": 2, "bands": 2}}}}
    pages = [
        page(f"{group}-{variant}", edited(prose(group, 200), variant) + f" {variant % 3}" * (variant % 4))
        for group in range(20)
        for variant in (9, 1, 12, 3, 7, 1, 10, 4)
    ]
    pages = [Page(f"{p.url}-{n}", p.nodes) for n, p in enumerate(pages)]
    found = [
        {
            frozenset((row["doc_id"], row["survivor"]))
            for row in rows(find_copies(a_job(tmp_path / name, pages, cuts, **near)))
        }
        for name, cuts in (("whole", []), ("halves", [80]), ("small", list(range(3, 160, 3))))
    ]
    assert len(found[0]) > 20
    assert found[1] == found[0]
    assert found[2] == found[0]


def test_a_record_that_two_slices_of_a_file_hold_counts_once(tmp_path: Path) -> None:
    pages = [page("twice", prose(1), NOTICE), page("other", prose(2), NOTICE), page("twice", prose(1), NOTICE)]
    for number, settings in enumerate((paragraphs(), EXACT, NEAR, URL)):
        job = find_copies(a_job(tmp_path / str(number), pages, [2], **settings))
        assert rows(job) == []
    tallies = [record.tallies["documents"] for record in ledger.read_all(job.workspace, "dedup_text").values()]
    assert [tally.reasons for tally in tallies] == [{}, {"document.duplicate_record": 1}]
