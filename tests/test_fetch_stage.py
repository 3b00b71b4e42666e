"""Extract, hosts and fetch over a WARC made here, with a server for the images that it does not hold."""

import hashlib
import importlib.util
import io
import itertools
import json
import tarfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from curate.job import prepare
from curate.stages import stages
from pipelines.frame import ledger
from pipelines.frame.engines.local import LocalEngine
from pipelines.frame.run import plan_stage, run_stage
from pipelines.frame.storage import Workspace
from pipelines.frame.tables import read_table
from schemas.recipe import Recipe
from schemas.statuses import StageName
from schemas.tables import HOSTS, IMAGES, WARC_IMAGES, Table
from tests.archives import make_warc, response
from tests.image_server import Answer, ImageServer, picture, serving

job_server = pytest.fixture(serving, scope="module")

PNG, JPEG, WEBP = picture("PNG"), picture("JPEG", (120, 90), 1), picture("WEBP", (50, 80), 2)
HELD, NEWER = picture("JPEG", (33, 44), 3), picture("JPEG", (44, 33), 4)
TEXT = "The garden behind the house was quiet in the morning, and the old trees stood in the light of the sun. " * 2
IMG2DATASET_FIELDS = {
    "url", "caption", "key", "status", "error_message", "sha256", "width", "height", "original_width",
    "original_height",
}  # fmt: skip
Row = dict[str, Any]


@dataclass(frozen=True)
class Fetched:
    """A job that has run until fetch, and what it asked the server for."""

    workspace: Workspace
    asked: list[str]

    def rows(self, table: Table = IMAGES, partition: int = 0) -> list[Row]:
        return read_table(self.workspace, table, partition).to_pylist()

    def by_name(self) -> dict[str, Row]:
        """Rows by the last part of their URL."""
        return {row["url"].rsplit("/", 1)[1]: row for row in self.rows()}

    def content(self, row: Row) -> bytes:
        with self.workspace.open(row["shard"]) as file:
            file.seek(row["offset"])
            return file.read(row["length"])

    def bytes_of(self, name: str) -> bytes:
        with self.workspace.open(name) as file:
            return file.read()


def a_page(url: str, images: Sequence[tuple[str, str]], *, head: str = "", text: str = TEXT) -> bytes:
    """A response record of a page on which text and images take turns; images are URL and alternative text."""
    nodes = "".join(f'<p>{text}</p><img src="{source}" alt="{alt}">' for source, alt in images)
    head = f"<head><title>T</title>{head}</head>"
    return response(url, f"<!DOCTYPE html><html>{head}<body><article>{nodes}</article></body></html>".encode())


def an_image(url: str, content: bytes, **headers: str) -> bytes:
    """A response record of an image; header names are given with underscores."""
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return response(url, content, [("Content-Type", "image/jpeg"), *named])


def run(folder: Path, server: ImageServer, *warcs: str, workers: int = 1, split: int = 0, **fetch: Any) -> Fetched:
    """Run the stages until fetch, in this process; `workers` is how many the rates are shared out among."""
    recipe = Recipe.model_validate(
        {
            "input": {"split_bytes": split},
            "screen": {"document": [{"signal": "words", "min": 20}]},
            "fetch": {"allow_private_addresses": True, "per_host_rate": 1000, "retries": 0, **fetch},
        }
    )
    before = len(server.asked)
    job = prepare(recipe, warcs, str(folder), workers)
    for stage in stages(job.recipe, workers, StageName.FETCH):
        run_stage(plan_stage(stage, job), job, LocalEngine(workers=1))
    return Fetched(job.workspace, server.paths()[before:])


def serve_pictures(server: ImageServer) -> None:
    for path, content in {"/one.png": PNG, "/two.jpg": JPEG, "/three.webp": WEBP, "/twice.png": PNG}.items():
        server.answer(path, Answer(body=content))
    server.answer("/a-page.png", Answer(body=b"<!DOCTYPE html><html></html>"))
    server.answer("/opted-out.png", Answer(body=PNG, headers={"X-Robots-Tag": "noimageai, nofollow"}))
    server.answer("/reserved.png", Answer(body=PNG, headers={"TDM-Reservation": "1"}))
    server.answer("/robots.txt", Answer(body=b"User-agent: *\nDisallow: /disallowed"))


def records(server: ImageServer) -> list[bytes]:
    """A crawl: pages that are kept, that opt out and that are screened, and images of theirs."""
    here = server.url()
    kept = [
        (f"{here}/one.png", "Bär &amp; bee"), (f"{here}/two.jpg", ""), (f"{here}/three.webp", "A tree"),
        (f"{here}/missing.png", "gone"), (f"{here}/a-page.png", ""), (f"{here}/opted-out.png", ""),
        (f"{here}/reserved.png", ""), (f"{here}/disallowed.png", ""), (f"{here}/twice.png", ""),
        ("http://held.example/held.jpg", "held"), (f"{here}/also-held.jpg", ""),
        ("http://held.example/opted-out-held.jpg", ""),
    ]  # fmt: skip
    noimageai = '<meta name="robots" content="NoImageAI">'
    return [
        a_page(f"{here}/kept", kept),
        a_page(f"{here}/opts-out", [(f"{here}/of-opt-out.png", ""), (f"{here}/twice.png", "lost")], head=noimageai),
        a_page(f"{here}/short", [(f"{here}/of-short.png", "")], text="Too short."),
        a_page(f"{here}/again", [(f"{here}/twice.png", "said later")]),
        an_image("http://held.example/held.jpg", HELD),
        an_image(f"{here}/also-held.jpg", HELD),
        an_image(f"{here}/also-held.jpg", NEWER),
        an_image("http://held.example/opted-out-held.jpg", HELD, X_Robots_Tag="noai"),
        an_image("http://held.example/of-no-page.jpg", HELD),
    ]


@pytest.fixture(scope="module")
def warc(job_server: ImageServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    serve_pictures(job_server)
    return make_warc(tmp_path_factory.mktemp("crawl") / "crawl.warc.gz", records(job_server))


@pytest.fixture(scope="module")
def fetched(job_server: ImageServer, warc: str, tmp_path_factory: pytest.TempPathFactory) -> Fetched:
    return run(tmp_path_factory.mktemp("job"), job_server, warc)


EXPECTED = {
    "one.png": "ok", "two.jpg": "ok", "three.webp": "ok", "twice.png": "ok", "held.jpg": "ok", "also-held.jpg": "ok",
    "missing.png": "not_found", "a-page.png": "not_an_image", "opted-out.png": "opted_out",
    "reserved.png": "tdm_reserved", "disallowed.png": "robots_disallowed", "opted-out-held.jpg": "opted_out",
}  # fmt: skip


def test_every_wanted_url_has_one_row_and_a_status(fetched: Fetched) -> None:
    assert {name: row["status"] for name, row in fetched.by_name().items()} == EXPECTED
    urls = [row["url"] for row in fetched.rows()]
    assert len(urls) == len(EXPECTED)
    assert urls == sorted(urls)


def test_images_that_the_warc_holds_need_no_request(fetched: Fetched) -> None:
    rows = fetched.by_name()
    assert fetched.content(rows["held.jpg"]) == HELD
    assert {name for name, row in rows.items() if row["source"] == "warc"} == {
        "held.jpg", "also-held.jpg", "opted-out-held.jpg",
    }  # fmt: skip
    assert "/also-held.jpg" not in fetched.asked


def test_of_several_captures_of_an_image_the_last_one_counts(fetched: Fetched) -> None:
    assert fetched.content(fetched.by_name()["also-held.jpg"]) == NEWER


def test_images_of_pages_that_opt_out_or_are_screened_are_not_asked_for(fetched: Fetched) -> None:
    got = {name for name, row in fetched.by_name().items() if row["http_status"] and row["source"] == "network"}
    assert sorted(fetched.asked) == sorted(["/robots.txt", *(f"/{name}" for name in got)])
    assert not {"of-opt-out.png", "of-short.png", "disallowed.png"} & got


def test_offsets_and_lengths_lead_to_the_very_bytes_that_were_served(fetched: Fetched) -> None:
    served = {"one.png": PNG, "two.jpg": JPEG, "three.webp": WEBP, "twice.png": PNG, "held.jpg": HELD}
    for name, content in served.items():
        row = fetched.by_name()[name]
        assert fetched.content(row) == content
        assert (row["sha256"], row["bytes"]) == (hashlib.sha256(content).hexdigest(), len(content))
        with Image.open(io.BytesIO(content)) as image:
            assert (row["width"], row["height"]) == image.size == (row["original_width"], row["original_height"])
            assert row["format"] == str(image.format).lower()
        assert (row["frames"], len(row["phash"]), row["http_status"]) == (1, 16, 200)


def test_rows_of_images_that_were_not_got_hold_the_reason_and_no_place(fetched: Fetched) -> None:
    for name, row in fetched.by_name().items():
        if EXPECTED[name] != "ok":
            nothing = ("sha256", "phash", "width", "format", "bytes", "shard", "offset", "length")
            assert {row[column] for column in nothing} == {None}, name
    assert fetched.by_name()["missing.png"]["http_status"] == 404
    assert "html" in fetched.by_name()["a-page.png"]["error_message"]


def test_what_was_said_about_consent_is_recorded(fetched: Fetched) -> None:
    consent = {
        name: (row["robots_allowed"], row["directives"], row["tdm_reserved"]) for name, row in fetched.by_name().items()
    }
    assert consent["one.png"] == (True, [], None)
    assert consent["opted-out.png"] == (True, ["nofollow", "noimageai"], None)
    assert consent["reserved.png"] == (True, [], True)
    assert consent["disallowed.png"][0] is False
    assert consent["opted-out-held.jpg"] == (None, ["noai"], None)


def test_the_tar_has_the_members_of_img2dataset_in_the_order_of_the_keys(fetched: Fetched) -> None:
    with tarfile.open(fetched.workspace.path("images/00000.tar")) as tar:
        members = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
    assert list(members) == sorted(members, key=lambda name: name.split(".")[0])
    extensions = {"png": "png", "jpeg": "jpg", "webp": "webp"}
    expected = []
    for row in fetched.rows():
        if row["status"] == "ok":
            named = [extensions[row["format"]], *(["txt"] if row["caption"] else []), "json"]
            expected += [f"{row['key']}.{extension}" for extension in named]
    assert list(members) == expected
    one = fetched.by_name()["one.png"]["key"]
    assert members[f"{one}.txt"].decode() == "Bär & bee"


def test_the_json_members_have_the_fields_of_img2dataset(fetched: Fetched) -> None:
    with tarfile.open(fetched.workspace.path("images/00000.tar")) as tar:
        described = [json.load(tar.extractfile(m)) for m in tar if m.name.endswith(".json")]  # type: ignore[arg-type]
    rows = {row["key"]: row for row in fetched.rows()}
    assert len(described) == Counter(EXPECTED.values())["ok"]
    for one in described:
        assert set(one) >= IMG2DATASET_FIELDS
        assert (one["status"], one["error_message"]) == ("success", None)
        shared = IMG2DATASET_FIELDS - {"status"}
        assert {name: one[name] for name in shared} == {name: rows[one["key"]][name] for name in shared}


def test_a_caption_is_the_first_alternative_text_on_a_page_that_may_be_used(fetched: Fetched) -> None:
    captions = {name: row["caption"] for name, row in fetched.by_name().items()}
    assert (captions["twice.png"], captions["three.webp"], captions["two.jpg"]) == ("said later", "A tree", None)


def test_the_tallies_of_fetch_add_up(fetched: Fetched) -> None:
    record = ledger.read(fetched.workspace, "fetch", 0)
    assert record is not None
    images, documents = record.tallies["images"], record.tallies["documents"]
    reasons = Counter(EXPECTED.values())
    kept = reasons.pop("ok")
    assert (images.taken, images.out, images.reasons) == (len(EXPECTED), kept, dict(reasons))
    assert images.adds_up and documents.adds_up
    assert (documents.taken, documents.out, sum(documents.reasons.values())) == (4, 3, 1)
    assert record.bytes_in == sum(row["bytes"] or 0 for row in fetched.rows())
    assert record.errors == 0


def test_two_runs_write_the_same_bytes_whatever_comes_first(
    fetched: Fetched, job_server: ImageServer, warc: str, tmp_path: Path
) -> None:
    job_server.answer("/one.png", Answer(body=PNG, seconds=0.4))
    again = run(tmp_path / "again", job_server, warc, per_host_concurrency=9)
    for name in ("images/00000.tar", "images/00000.parquet"):
        assert again.bytes_of(name) == fetched.bytes_of(name)


def test_slices_of_a_warc_find_the_images_that_another_slice_holds(
    job_server: ImageServer, warc: str, tmp_path: Path
) -> None:
    job = run(tmp_path / "job", job_server, warc, split=Path(warc).stat().st_size // 2 + 1, enabled=False)
    assert len(ledger.read_all(job.workspace, "fetch")) == 2
    assert [row["source"] for row in job.rows() if "held" in row["url"]] == ["warc"] * 3
    held_elsewhere = {row["url"] for row in job.rows(WARC_IMAGES, 1)}
    assert held_elsewhere & {row["url"] for row in job.rows() if row["status"] == "ok"}


def test_without_fetching_no_request_is_made_and_the_warc_is_still_read(
    job_server: ImageServer, warc: str, tmp_path: Path
) -> None:
    job = run(tmp_path / "job", job_server, warc, enabled=False)
    assert job.asked == []
    statuses = {name: row["status"] for name, row in job.by_name().items()}
    held = {"held.jpg": "ok", "also-held.jpg": "ok", "opted-out-held.jpg": "opted_out"}
    assert statuses == dict.fromkeys(EXPECTED, "not_requested") | held


def test_an_image_of_a_blocked_host_is_not_taken_from_the_warc_either(
    job_server: ImageServer, warc: str, tmp_path: Path
) -> None:
    job = run(tmp_path / "job", job_server, warc, enabled=False, consent={"block_hosts": ["held.example"]})
    assert job.by_name()["held.jpg"]["status"] == "blocked_host"


@pytest.mark.skipif(importlib.util.find_spec("img2dataset") is None, reason="needs the extra resize")
def test_resizing_keeps_the_larger_side_at_the_size_and_enlarges_nothing(
    job_server: ImageServer, warc: str, tmp_path: Path
) -> None:
    job = run(tmp_path / "job", job_server, warc, resize={"size": 60, "encode_format": "jpg"})
    sizes = {name: (row["width"], row["height"]) for name, row in job.by_name().items() if row["status"] == "ok"}
    assert sizes == {
        "one.png": (60, 45), "two.jpg": (60, 45), "twice.png": (60, 45), "three.webp": (38, 60), "held.jpg": (33, 44),
        "also-held.jpg": (44, 33),
    }  # fmt: skip
    for name, size in sizes.items():
        row = job.by_name()[name]
        with Image.open(io.BytesIO(job.content(row))) as image:
            assert (image.format, image.size, row["format"]) == ("JPEG", size, "jpeg")
        assert row["sha256"] == hashlib.sha256(job.content(row)).hexdigest()
    assert (job.by_name()["two.jpg"]["original_width"], job.by_name()["two.jpg"]["original_height"]) == (120, 90)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ImageServer, Fetched]]:
    """A job for two workers over two crawls, with five images each on the same host and one on a host of its own."""
    folder = tmp_path_factory.mktemp("shared")
    with ImageServer() as server:
        warcs = []
        for name in "ab":
            urls = [server.answer(f"/{name}{number}.png", Answer(body=PNG)) for number in range(5)]
            alone = f"http://{name}.example/x.jpg"
            page = a_page(f"http://{name}.example/", [(url, "") for url in [*urls, alone]])
            warcs.append(make_warc(folder / f"{name}.warc.gz", [page, an_image(alone, HELD)]))
        yield server, run(folder / "job", server, *warcs, workers=2, per_host_rate=20)


def test_a_host_that_two_partitions_want_is_counted_over_both(shared: tuple[ImageServer, Fetched]) -> None:
    server, job = shared
    both = {"host": server.url().removeprefix("http://"), "urls": 10, "partitions": 2}
    for partition, name in enumerate("ab"):
        alone = {"host": f"{name}.example", "urls": 1, "partitions": 1}
        assert job.rows(HOSTS, partition) == [both, alone]


def test_a_host_that_two_workers_share_gets_half_its_rate_from_each(shared: tuple[ImageServer, Fetched]) -> None:
    server, _ = shared
    for name in "ab":
        times = [asked.at for asked in server.asked if asked.path.startswith(f"/{name}")]
        gaps = [after - before for before, after in itertools.pairwise(times)]
        assert len(gaps) == 4
        assert sum(gaps) > 4 / 10 - 0.02
