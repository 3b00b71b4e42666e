"""What dedup took out is never asked for: images of copies, of evaluation sets, and those that are shown everywhere."""

from pathlib import Path
from typing import Any

import pytest

from curate.job import prepare
from curate.stages import stages
from pipelines.frame.engines.local import LocalEngine
from pipelines.frame.run import plan_stage, run_stage
from pipelines.frame.tables import read_table
from schemas.recipe import Recipe
from schemas.statuses import StageName
from schemas.tables import IMAGES
from tests.archives import make_warc
from tests.image_server import Answer, ImageServer, picture, serving
from tests.test_fetch_stage import TEXT, a_page

Fetched = tuple[list[str], dict[str, str]]
server = pytest.fixture(serving)


def fetch(root: Path, server: ImageServer, pages: list[tuple[str, str, list[str]]], **recipe: Any) -> Fetched:
    """Run a job until fetch over pages (name, text, paths of images); what was asked for, sorted, and each status."""
    records = [
        a_page(server.url(f"/{name}"), [(server.url(path), "") for path in paths], text=text)
        for name, text, paths in pages
    ]
    settings = {"fetch": {"allow_private_addresses": True, "per_host_rate": 1000, "retries": 0}, **recipe}
    warc = make_warc(root / "crawl.warc.gz", records)
    job = prepare(Recipe.model_validate(settings), [warc], str(root / "out"), 1)
    for stage in stages(job.recipe, 1, StageName.FETCH):
        run_stage(plan_stage(stage, job), job, LocalEngine(workers=1))
    rows = read_table(job.workspace, IMAGES, 0).to_pylist()
    statuses = {row["url"].removeprefix(server.url()): row["status"] for row in rows}
    return sorted(path for path in server.paths() if path != "/robots.txt"), statuses


def told(server: ImageServer, *paths: str) -> None:
    for seed, path in enumerate(paths):
        server.answer(path, Answer(body=picture("PNG", seed=seed)))


def test_an_image_that_too_many_documents_show_is_never_asked_for(tmp_path: Path, server: ImageServer) -> None:
    told(server, "/banner.png", *[f"/{n}.png" for n in range(4)])
    pages = [(f"p{n}", f"{n} {n} {TEXT}", ["/banner.png", f"/{n}.png"]) for n in range(4)]
    asked, statuses = fetch(tmp_path, server, pages, dedup={"text": {"max_image_documents": 3}})
    assert asked == [f"/{n}.png" for n in range(4)]
    assert statuses == {**dict.fromkeys(asked, "ok"), "/banner.png": "too_frequent"}


def test_images_of_copies_and_evaluation_sets_are_never_asked_for(tmp_path: Path, server: ImageServer) -> None:
    told(server, "/a.png", "/b.png", "/c.png", "/d.png")
    (tmp_path / "quiz.txt").write_text("one two three four five six seven eight nine ten eleven twelve thirteen")
    quiz = f"{TEXT} One two three four five six seven eight nine ten eleven twelve thirteen fourteen."
    pages = [
        ("kept", TEXT, ["/a.png"]), ("kept?utm_medium=mail", TEXT, ["/a.png", "/b.png"]), ("quiz", quiz, ["/c.png"]),
        ("own", f"Another page. {TEXT} {TEXT}", ["/a.png", "/d.png"]),
    ]  # fmt: skip
    sets = [{"name": "quiz", "texts": str(tmp_path / "quiz.txt")}]
    asked, statuses = fetch(tmp_path, server, pages, dedup={"text": {"url": True}}, decontaminate=sets)
    assert "/c.png" not in asked
    # Which of two captures of one time stays is decided by their ids.
    assert asked in (["/a.png", "/d.png"], ["/a.png", "/b.png", "/d.png"])
    assert set(statuses) == set(asked)
