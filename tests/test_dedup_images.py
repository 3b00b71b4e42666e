"""Copies of pictures: equal files, similar hashes, evaluation sets; what is counted, and what stays the same."""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack

import numpy as np
import pytest

from filters import hamming
from pipelines.dedup_images import copies as image_copies
from pipelines.frame import exchange as exchanges
from pipelines.frame import ledger
from pipelines.frame.engines import spill
from pipelines.frame.engines.beam import BeamEngine
from pipelines.frame.stage import Job
from schemas.tables import IMAGE_DUPLICATES
from tests.copied_job import Got, Page, Shown, a_job, find_copies_of_images, prose, rows
from tests.recipe_parts import RecipeParts
from tests.test_dedup_text import arrive_backwards

HOST = "https://a.example"
LOOK = 0x123456789ABCDEF0
DISTANT: RecipeParts = {"dedup": {"images": {"perceptual_distance": 4}}}


def url(name: str) -> str:
    return f"{HOST}/{name}.jpg"


def page(name: str, *images: str, **about: Any) -> Page:
    return Page(f"{HOST}/{name}", (prose(name, 40), *[Shown(url(image)) for image in images]), **about)


def found(job: Job) -> dict[str, tuple[str, str, int | None]]:
    """(kind, name of the best copy or evaluation set, documents) by name, which every partition must say alike."""
    every = rows(job, IMAGE_DUPLICATES)
    hashes = {Got("", 0).row(row["url"])["url_hash"]: row["url"] for row in every}

    def name(of: str) -> str:
        return of.removeprefix(f"{HOST}/").removesuffix(".jpg")

    by_name: dict[str, tuple[str, str, int | None]] = {}
    for row in every:
        said = (row["kind"], name(hashes.get(row["survivor"], row["survivor"])), row["copies"])
        assert by_name.setdefault(name(row["url"]), said) == said
    return by_name


def compare(
    root: Path,
    pages: Sequence[Page],
    images: Mapping[str, Got],
    cuts: Sequence[int] = (),
    **recipe: Unpack[RecipeParts],
) -> Job:
    by_url = {url(name): got for name, got in images.items()}
    return find_copies_of_images(a_job(root, pages, cuts, by_url, **recipe))


def test_equal_files_are_exact_copies_and_the_largest_or_first_by_url_hash_stays(tmp_path: Path) -> None:
    images = {"a": Got("same", LOOK), "b": Got("same", LOOK), "other": Got("other", LOOK)}
    best = min("ab", key=lambda name: Got("", 0).row(url(name))["url_hash"])
    job = compare(tmp_path, [page("1", "a", "other"), page("2", "b")], images)
    assert found(job) == {"a": ("exact", best, 2), "b": ("exact", best, 2)}


@pytest.mark.parametrize(("distance", "like"), [(0, {"equal"}), (2, {"equal", "two"}), (4, {"equal", "two", "four"})])
def test_hashes_within_the_recipes_distance_are_copies_of_the_largest(
    tmp_path: Path, distance: int, like: set[str]
) -> None:
    images = {
        "large": Got("large", LOOK, (1600, 1200)), "equal": Got("equal", LOOK), "two": Got("two", LOOK ^ 0x8001),
        "four": Got("four", LOOK ^ 0x0F00 << 32), "six": Got("six", LOOK ^ 0xFC << 50),
    }  # fmt: skip
    pages = [page(name, name) for name in images]
    job = compare(tmp_path, pages, images, [2], dedup={"images": {"perceptual_distance": distance}})
    count = len(like) + 1
    assert found(job) == {
        "large": ("exact", "large", count), **dict.fromkeys(like, ("perceptual", "large", count)),
    }  # fmt: skip


def test_copies_are_documents_and_not_urls_or_nodes(tmp_path: Path) -> None:
    images = {name: Got(name, LOOK) for name in "abc"}
    pages = [page("1", "a", "b", "a", "c"), page("2", "a"), page("3", "c", "c"), page("4")]
    copies = {said[2] for said in found(compare(tmp_path, pages, images, [1], **DISTANT)).values()}
    # One document of the first partition, two of the second.
    assert copies == {3}


def test_a_picture_in_one_document_alone_has_no_row(tmp_path: Path) -> None:
    images = {name: Got(name, LOOK + 7919**4 * n) for n, name in enumerate("abc")}
    assert found(compare(tmp_path, [page("1", "a", "a", "b"), page("2", "c")], images, [1], **DISTANT)) == {}


def test_one_url_in_many_documents_is_counted(tmp_path: Path) -> None:
    pages = [page(f"{n}", "a") for n in range(6)]
    assert found(compare(tmp_path, pages, {"a": Got("a", LOOK)}, [2, 4], **DISTANT)) == {"a": ("exact", "a", 6)}


def test_documents_that_are_copies_or_fail_the_screen_are_not_counted(tmp_path: Path) -> None:
    same = prose("same")
    pages = [
        Page(f"{HOST}/1", (same, Shown(url("a")))), Page(f"{HOST}/2", (same, Shown(url("a")))),
        page("3", "a"), page("4", "a", language="de"),
    ]  # fmt: skip
    settings: RecipeParts = {
        "dedup": {"text": {"exact": True}},
        "screen": {"document": [{"signal": "language", "in": ["en"]}]},
    }
    assert found(compare(tmp_path, pages, {"a": Got("a", LOOK)}, [1, 3], **settings)) == {"a": ("exact", "a", 2)}


def test_flat_pictures_are_no_copies_of_one_another_unless_their_files_are_equal(tmp_path: Path) -> None:
    flat = {f"flat{n}": Got(f"flat{n}", look) for n, look in enumerate([0, 0, 1, 0xFFFF, 1 << 63])}
    images = {**flat, "again": Got("flat0", 0)}
    pages = [page(name, name) for name in images]
    best = min(("flat0", "again"), key=lambda name: Got("", 0).row(url(name))["url_hash"])
    assert found(compare(tmp_path, pages, images, [3], **DISTANT)) == {
        "flat0": ("exact", best, 2), "again": ("exact", best, 2)
    }  # fmt: skip


def a_gallery(size: int = 300) -> tuple[list[Page], dict[str, Got]]:
    """Pictures of which many look alike, at most four bits apart, on pages of one to four."""
    rng = random.Random(0)
    looks = [rng.getrandbits(64) for _ in range(size // 6)]
    images = {}
    for n in range(size):
        bits = sum(1 << bit for bit in rng.sample(range(64), rng.choice([0, 0, 1, 2, 4])))
        images[f"{n}"] = Got(f"{n // 2}", looks[n // 2 % len(looks)] ^ bits, (rng.choice([200, 400, 800]), 300))
    names = [*images, *rng.choices(list(images), k=size)]
    rng.shuffle(names)
    pages, n = [], 0
    while names:
        some = [names.pop() for _ in range(min(rng.randrange(1, 5), len(names)))]
        pages.append(page(f"p{n}", *some))
        n += 1
    return pages, images


def table_bytes(job: Job) -> list[bytes]:
    return [Path(job.workspace.path(name)).read_bytes() for name in job.workspace.list("image_duplicates")]


@pytest.fixture(scope="module")
def gallery() -> tuple[list[Page], dict[str, Got]]:
    return a_gallery()


CUTS = [0, 7, 40, 41, 90]


def test_every_slicing_finds_the_same(tmp_path: Path, gallery: tuple[list[Page], dict[str, Got]]) -> None:
    pages, images = gallery
    whole = found(compare(tmp_path / "whole", pages, images, **DISTANT))
    assert {said[0] for said in whole.values()} == {"exact", "perceptual"}
    for number, cuts in enumerate((CUTS, range(5, len(pages), 5))):
        assert found(compare(tmp_path / f"{number}", pages, images, list(cuts), **DISTANT)) == whole


@pytest.mark.parametrize("how", ["many buckets", "small ranges", "another order of arrival"])
def test_buckets_ranges_and_the_order_of_arrival_change_no_byte(
    tmp_path: Path, gallery: tuple[list[Page], dict[str, Got]], monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    pages, images = gallery
    expected = table_bytes(compare(tmp_path / "one", pages, images, CUTS, **DISTANT))
    if how == "many buckets":
        monkeypatch.setattr(spill, "BUCKET_BYTES", 3000)
        monkeypatch.setattr(exchanges, "KEY_BYTES", 1000)
    elif how == "small ranges":
        monkeypatch.setattr(exchanges, "KEY_BYTES", 300)
    else:
        arrive_backwards(monkeypatch)
    assert table_bytes(compare(tmp_path / "other", pages, images, CUTS, **DISTANT)) == expected


def test_by_beam_the_same_bytes_come_out(tmp_path: Path, gallery: tuple[list[Page], dict[str, Got]]) -> None:
    pages, images = gallery
    expected = table_bytes(compare(tmp_path / "one", pages, images, CUTS, **DISTANT))
    by_url = {url(name): got for name, got in images.items()}
    job = find_copies_of_images(
        a_job(tmp_path / "other", pages, CUTS, by_url, **DISTANT), engine=BeamEngine(("--runner=FnApiRunner",))
    )
    assert table_bytes(job) == expected


def test_a_url_whose_file_changed_between_two_crawls_has_one_best_copy_in_any_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []
    for backwards in (False, True):
        if backwards:
            arrive_backwards(monkeypatch)
        job = a_job(
            tmp_path / f"{backwards}", [page("1", "a"), page("2", "a")], [1], {url("a"): Got("1", LOOK)}, **DISTANT
        )
        recrawled = a_job(tmp_path / "again", [page("1", "a"), page("2", "a")], [1], {url("a"): Got("2", LOOK)})
        second = "images/00001.parquet"
        Path(job.workspace.path(second)).write_bytes(Path(recrawled.workspace.path(second)).read_bytes())
        written.append(table_bytes(find_copies_of_images(job)))
    assert written[0] == written[1]


def test_a_hundred_thousand_copies_of_a_picture_are_one_record_a_partition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = {f"{n}": Got("same", LOOK) for n in range(100_000)}
    pages = [page(f"{n}", *[f"{i}" for i in range(n, 100_000, 100)]) for n in range(100)]
    travelled = {"elements": 0, "numbers": 0}
    call = exchanges.Emitting.__call__

    def counting(emitting: Any, source: int) -> Any:
        for key, packed in call(emitting, source):
            travelled["elements"] += 1
            travelled["numbers"] += sum(len(array) for array in exchanges.unpack(packed))
            yield key, packed

    monkeypatch.setattr(exchanges.Emitting, "__call__", counting)
    job = compare(tmp_path, pages, images, [25, 50, 75], **DISTANT)
    every = rows(job, IMAGE_DUPLICATES)
    assert len(every) == 100_000
    assert {(row["kind"], row["survivor"], row["copies"]) for row in every} == {
        ("exact", min(Got("", 0).row(url(name))["url_hash"] for name in images), 100)
    }
    assert travelled["elements"] < 60
    assert travelled["numbers"] < 2000


@pytest.mark.parametrize("pages", [[], [page("1")], [page("1", "a")]])
def test_jobs_without_pictures_are_no_error(tmp_path: Path, pages: list[Page]) -> None:
    assert rows(compare(tmp_path, pages, {}, **DISTANT), IMAGE_DUPLICATES) == []


def hashes_file(folder: Path, *looks: int) -> str:
    (folder / "hashes.txt").write_text("".join(f"{look:016x}\n" for look in looks))
    return str(folder / "hashes.txt")


def test_pictures_of_evaluation_sets_are_named_with_their_set(tmp_path: Path) -> None:
    near, far = LOOK ^ 0b1111, LOOK ^ 0b11111
    images = {"in": Got("in", LOOK), "near": Got("near", near), "far": Got("far", far), "in-again": Got("in", LOOK)}
    sets = [{"name": "quiz", "images": hashes_file(tmp_path, LOOK, 0x5555AAAA5555AAAA)}]
    pages = [page(name, name) for name in images]
    job = compare(tmp_path / "job", pages, images, [2], decontaminate=sets)
    benchmark = ("benchmark", "quiz", None)
    assert found(job) == {"in": benchmark, "near": benchmark, "in-again": benchmark}
    tallies = [record.tallies["pictures"] for record in ledger.read_all(job.workspace, "dedup_images").values()]
    assert all(tally.adds_up for tally in tallies)
    assert sum(tally.reasons.get("benchmark", 0) for tally in tallies) == 3


def test_a_folder_of_an_evaluation_sets_pictures_is_read(tmp_path: Path) -> None:
    from filters.image_header import ImageFacts, inspect
    from tests.image_server import picture

    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "1.png").write_bytes(picture("PNG", (320, 240), 5))
    (folder / "notes.txt").write_bytes(b"not a picture")
    again = inspect(picture("JPEG", (320, 240), 5), max_pixels=1 << 20)
    other = inspect(picture("JPEG", (320, 240), 11), max_pixels=1 << 20)
    assert isinstance(again, ImageFacts)
    assert isinstance(other, ImageFacts)
    images = {"again": Got("again", int(again.phash, 16)), "other": Got("other", int(other.phash, 16))}
    sets = [{"name": "quiz", "images": str(folder)}]
    job = compare(tmp_path / "job", [page("1", "again", "other")], images, decontaminate=sets)
    assert found(job) == {"again": ("benchmark", "quiz", None)}


def test_block_keys_are_asked_for_the_distance_of_the_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    keys = hamming.block_keys

    def noting(hashes: Any, distance: int) -> Any:
        asked.append(distance)
        return keys(hashes, distance)

    monkeypatch.setattr(image_copies, "block_keys", noting)
    images = {"a": Got("a", LOOK), "b": Got("b", LOOK)}
    for distance in (None, 0, 3):
        parts: RecipeParts = {"dedup": {"images": {"perceptual_distance": distance}}}
        compare(tmp_path / f"{distance}", [page("1", "a"), page("2", "b")], images, **parts)
    assert np.unique(asked).tolist() == [3]


def test_a_list_of_hashes_that_has_changed_is_read_again(tmp_path: Path) -> None:
    said = []
    for look in (LOOK, ~LOOK & 0xFFFFFFFFFFFFFFFF):
        sets = [{"name": "quiz", "images": hashes_file(tmp_path, look)}]
        said.append(found(compare(tmp_path / "job", [page("1", "a")], {"a": Got("a", LOOK)}, decontaminate=sets)))
    assert said == [{"a": ("benchmark", "quiz", None)}, {}]
