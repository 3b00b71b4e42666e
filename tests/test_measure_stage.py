"""The measure stage over jobs made here: a row for every image that was got, damage counted, nothing measured twice."""

import io
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageFilter

from curate.errors import UserError
from curate.explaining import explain
from curate.funnel import funnel
from curate.job import prepare
from curate.stages import stages
from filters.extras import PACKAGES, missing_packages
from filters.image_pixels import PixelSignals, measure_pixels
from pipelines.frame import ledger
from pipelines.frame.engines.local import LocalEngine
from pipelines.frame.partitions import Partition
from pipelines.frame.run import plan_stage, run_stage
from pipelines.frame.shards import ShardWriter
from pipelines.frame.stage import Job
from pipelines.frame.storage import Workspace
from pipelines.frame.tables import TableWriter, name_of, read_table
from pipelines.frame.task import Assignment, Task
from pipelines.measure.stage import Measure
from schemas.recipe import Recipe
from schemas.statuses import StageName
from schemas.tables import IMAGE_SIGNALS, IMAGES, VERDICTS
from tests.archives import make_warc
from tests.image_server import picture
from tests.test_fetch_stage import a_page, an_image

needs_nsfw = pytest.mark.skipif(bool(missing_packages("nsfw")), reason="without the extra nsfw")
HOST, PAGE = "http://pictures.example", "http://pages.example/one"
CONTENTS = {
    "a.png": picture("PNG", (200, 160), 1),
    "b.jpg": picture("JPEG", (320, 240), 2),
    "c.webp": picture("WEBP", (180, 180), 3),
    "copy-of-a.png": picture("PNG", (200, 160), 1),
    "text.png": b"<!DOCTYPE html>",
}
RULES: Mapping[str, Any] = {"image": [{"signal": "blur", "min": 1}]}
Row = dict[str, Any]


def a_warc(folder: Path, contents: Mapping[str, bytes] = CONTENTS) -> str:
    page = a_page(PAGE, [(f"{HOST}/{name}", "") for name in contents])
    held = [an_image(f"{HOST}/{name}", content) for name, content in contents.items()]
    return make_warc(folder / "crawl.warc.gz", [page, *held])


def a_job(folder: Path, warc: str, **recipe: Any) -> Job:
    settings = {"fetch": {"enabled": False}, "select": RULES, **recipe}
    return prepare(Recipe.model_validate(settings), [warc], str(folder / "out"), 1)


def run(job: Job, until: StageName = StageName.MEASURE) -> list[str]:
    """Run the stages up to one; which of them had anything to do."""
    ran = []
    for stage in stages(job.recipe, 1, until):
        plan = plan_stage(stage, job)
        ran += [stage.name.value] if plan.todo else []
        run_stage(plan, job, LocalEngine(workers=1))
    return ran


def signal_rows(workspace: Workspace, partition: int = 0) -> list[Row]:
    return read_table(workspace, IMAGE_SIGNALS, partition).to_pylist()


def by_name(workspace: Workspace) -> dict[str, Row]:
    return {row["url"].rsplit("/", 1)[1]: row for row in signal_rows(workspace)}


def counted(workspace: Workspace) -> tuple[int, int, dict[str, int]]:
    record = ledger.read(workspace, StageName.MEASURE, 0)
    assert record is not None and record.errors == 0
    tally = record.tallies["images"]
    return tally.taken, tally.out, tally.reasons


@pytest.fixture
def measured(tmp_path: Path) -> Job:
    job = a_job(tmp_path, a_warc(tmp_path))
    run(job)
    return job


def test_every_image_that_was_got_has_a_row_in_the_order_of_images(measured: Job) -> None:
    images = read_table(measured.workspace, IMAGES, 0).to_pylist()
    got = [row["url"] for row in images if row["status"] == "ok"]
    assert len(images) == len(got) + 1, "text.png is no image"
    assert [row["url"] for row in signal_rows(measured.workspace)] == got
    assert counted(measured.workspace) == (4, 4, {})


def test_the_values_are_those_of_the_files_alone(measured: Job) -> None:
    rows = by_name(measured.workspace)
    for name, row in rows.items():
        expected = measure_pixels(CONTENTS[name], 10**6, nsfw=False)
        assert isinstance(expected, PixelSignals)
        assert row["measure_status"] == "ok"
        assert (row["blur"], row["entropy"]) == pytest.approx((expected.blur, expected.entropy), rel=1e-6)
        assert (row["transparency"], row["nsfw"]) == (0.0, None)
    assert rows["a.png"]["blur"] == rows["copy-of-a.png"]["blur"] != rows["b.jpg"]["blur"]


def test_a_tar_that_was_cut_short_is_counted_and_what_lies_before_is_measured(measured: Job) -> None:
    tar = Path(measured.workspace.path("images/00000.tar"))
    row = next(r for r in read_table(measured.workspace, IMAGES, 0).to_pylist() if r["url"].endswith("b.jpg"))
    tar.write_bytes(tar.read_bytes()[: row["offset"] + row["length"] // 2])
    measured.workspace.remove("image_signals/00000.parquet")
    run_stage(plan_stage(Measure(), measured), measured, LocalEngine(workers=1))
    rows = by_name(measured.workspace)
    assert [name for name, r in rows.items() if r["measure_status"] == "ok"] == ["a.png", "copy-of-a.png"]
    assert rows["b.jpg"]["measure_message"].startswith("images/00000.tar holds ")
    assert rows["b.jpg"]["blur"] is rows["c.webp"]["entropy"] is None
    assert counted(measured.workspace) == (4, 2, {"undecodable": 2})


def test_an_image_that_rotted_in_its_tar_is_counted_and_never_packed(measured: Job) -> None:
    tar = Path(measured.workspace.path("images/00000.tar"))
    row = next(r for r in read_table(measured.workspace, IMAGES, 0).to_pylist() if r["url"].endswith("b.jpg"))
    content = bytearray(tar.read_bytes())
    content[row["offset"] : row["offset"] + row["length"]] = bytes(row["length"])
    tar.write_bytes(content)
    measured.workspace.remove("image_signals/00000.parquet")
    run(measured, StageName.PACK)
    assert counted(measured.workspace) == (4, 3, {"not_an_image": 1})
    (verdict,) = read_table(measured.workspace, VERDICTS, 0).to_pylist()
    failed = dict(zip(verdict["failed_rule"], verdict["failed_value"], strict=True))
    assert json.loads(failed["image.status"]) == "not_an_image"
    found = funnel(measured.workspace)
    assert found["adds_up"], found["problems"]
    packed = ledger.read(measured.workspace, StageName.PACK, 0)
    assert packed is not None and packed.tallies["images"].out == 3


def test_100_000_copies_of_a_large_image_are_read_and_measured_once(tmp_path: Path) -> None:
    content = picture("JPEG", (1600, 1200), 5)
    workspace, copies = Workspace(str(tmp_path)), 100_000
    with workspace.staged("images/00000.tar") as path, ShardWriter(path) as tar:
        offset = tar.add("0.jpg", content)
    row = {"status": "ok", "sha256": "a" * 64, "shard": "images/00000.tar", "offset": offset, "length": len(content)}
    with workspace.staged(name_of(IMAGES, 0)) as path:
        writer = TableWriter(IMAGES, path)
        for number in range(copies):
            writer.write_rows([{**row, "key": str(number), "url": f"{HOST}/{number}", "url_hash": ""}])
        writer.close()
    task = Task("measure", Assignment(Partition(0, "x", 0, 1, 1, ""), "f"), workspace, Recipe())
    began = time.monotonic()
    Measure().process(task, ())
    task.commit()
    assert time.monotonic() - began < 60, "a millisecond for each would be more"
    record = ledger.read(workspace, StageName.MEASURE, 0)
    assert record is not None
    assert record.bytes_in == len(content)
    assert record.tallies["images"].out == copies
    assert {r["blur"] for r in signal_rows(workspace)} == {signal_rows(workspace)[0]["blur"]}


def test_a_second_run_measures_nothing_and_an_edited_rule_neither(measured: Job, tmp_path: Path) -> None:
    run(measured, StageName.PACK)
    assert run(measured, StageName.PACK) == []
    other = a_job(tmp_path, str(tmp_path / "crawl.warc.gz"), select={"image": [{"signal": "blur", "min": 10**6}]})
    assert run(other, StageName.PACK) == ["select", "pack"]


@needs_nsfw
def test_asking_for_another_signal_measures_again_and_fetches_nothing(measured: Job, tmp_path: Path) -> None:
    without = signal_rows(measured.workspace)
    asking = a_job(tmp_path, str(tmp_path / "crawl.warc.gz"), measure={"nsfw": True})
    assert run(asking) == ["measure"]
    rows = signal_rows(asking.workspace)
    assert all(0 <= row["nsfw"] <= 1 for row in rows)
    assert [{**row, "nsfw": None} for row in rows] == without
    first = Path(asking.workspace.path("image_signals/00000.parquet")).read_bytes()
    asking.workspace.remove("image_signals/00000.parquet")
    assert run(asking) == ["measure"]
    assert Path(asking.workspace.path("image_signals/00000.parquet")).read_bytes() == first


def test_a_rule_on_a_pixel_signal_drops_with_value_and_bound_and_explain_shows_them(tmp_path: Path) -> None:
    sharp = Image.open(io.BytesIO(CONTENTS["a.png"])).convert("RGB").resize((400, 300))
    target = io.BytesIO()
    sharp.filter(ImageFilter.GaussianBlur(12)).save(target, "PNG")
    contents = {"sharp.png": CONTENTS["a.png"], "blurred.png": target.getvalue()}
    job = a_job(tmp_path, a_warc(tmp_path, contents), select={"image": [{"signal": "blur", "min": 20}]})
    run(job, StageName.SELECT)
    nodes = {n["image"].rsplit("/", 1)[1]: n for n in explain(job.workspace, PAGE)[0]["nodes"] if "image" in n}
    assert nodes["sharp.png"]["kept"] is True
    assert nodes["blurred.png"]["kept"] is False
    (failed,) = nodes["blurred.png"]["failed"]
    assert (failed["rule"], failed["bound"]) == ("image.blur.min", "20")
    assert float(failed["value"]) == pytest.approx(nodes["blurred.png"]["blur"], rel=1e-5)
    assert nodes["sharp.png"]["entropy"] > 0
    assert funnel(job.workspace)["adds_up"]


def test_a_partition_without_images_has_an_empty_table(tmp_path: Path) -> None:
    job = a_job(tmp_path, a_warc(tmp_path, {}))
    run(job, StageName.PACK)
    assert signal_rows(job.workspace) == []
    assert funnel(job.workspace)["adds_up"]


def test_what_a_recipe_needs_and_is_not_installed_is_said_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PACKAGES, "nsfw", ("no_such_classifier",))
    warc = a_warc(tmp_path)
    with pytest.raises(UserError, match=r"needs no_such_classifier: install curate\[nsfw\]"):
        a_job(tmp_path, warc, measure={"nsfw": True})
    assert not (tmp_path / "out").exists()
    a_job(tmp_path, warc)
