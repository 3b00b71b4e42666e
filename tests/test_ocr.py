"""Text in pictures: what is read, how much of a text that is, and the stage that writes it down."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from curate.explaining import explain
from curate.funnel import funnel
from filters import picture_text
from filters.extras import missing_packages
from filters.image_header import Unusable
from filters.picture_text import read_text
from filters.text_overlap import text_overlap
from pipelines.frame import ledger
from pipelines.frame.engines.local import LocalEngine
from pipelines.frame.run import plan_stage, run_stage
from pipelines.frame.tables import read_table
from pipelines.ocr import reading
from pipelines.ocr.stage import Ocr
from schemas.recipe import Recipe
from schemas.statuses import ImageStatus, StageName
from schemas.tables import TEXT_OVERLAP, VERDICTS
from tests.archives import make_warc
from tests.test_fetch_stage import a_page as a_record
from tests.test_fetch_stage import an_image
from tests.test_score_stage import a_job, damage, rows_of, run
from tests.tiny_clip import make_tiny_clip

needs_ocr = pytest.mark.skipif(bool(missing_packages("ocr")), reason="without the extra ocr")
needs_both = pytest.mark.skipif(bool(missing_packages("ocr") + missing_packages("score")), reason="without extras")
MAX_PIXELS = 10**7


def a_sign(*lines: str, size: tuple[int, int] = (480, 240), height: int = 34, kind: str = "PNG") -> bytes:
    """A picture in which something is written."""
    picture = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(picture)
    for number, line in enumerate(lines):
        draw.text((20, 20 + number * height * 1.7), line, "black", ImageFont.load_default(height))
    return written(picture, kind)


def a_view(seed: int = 0, size: tuple[int, int] = (320, 240)) -> bytes:
    """A picture of soft shapes in which nothing is written."""
    noise = np.random.default_rng(seed).integers(0, 255, (5, 7, 3), np.uint8)
    return written(Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC), "JPEG")


def written(picture: Image.Image, kind: str) -> bytes:
    into = io.BytesIO()
    picture.save(into, kind)
    return into.getvalue()


# --- words


@pytest.mark.parametrize(
    ("text", "lines", "share"),
    [
        ("Tide tables of the harbour", ["TIDE TABLES", "OF THE HARBOUR"], 1),
        (
            "Tide tables of the harbour",
            ["Tidetablesofthe harbour"],
            3 / 5,
        ),  # of and the are too short to be looked for inside
        ("Café Müller, Zürich", ["Cafe Muller Zurich"], 1),
        ("Straße 12", ["STRASSE 12"], 1),
        ("Boats, boats and boats", ["boats"], 1 / 2),
        ("潮の満ち引き 2026", ["潮汐 2026"], 2 / 4),  # 潮 満 引 and the year; kana are not read
        ("a view of the sea", [], 0),
        ("Море и корабли", ["MOPE"], None),
        ("شرحنا هنا كيف يعمل SSH", ["SSH"], None),
        ("…—!", ["…"], None),
        ("cat", ["concatenate"], 0),
    ],
)
def test_the_share_of_words_that_are_written(text: str, lines: Sequence[str], share: float | None) -> None:
    assert text_overlap(text, lines) == (share if share is None else pytest.approx(share))


# --- reading


@needs_ocr
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_what_is_written_in_a_picture_is_read(kind: str) -> None:
    lines = read_text(a_sign("Tide tables", "Harbour office 1887", kind=kind), MAX_PIXELS)
    assert not isinstance(lines, Unusable)
    assert text_overlap("Tide tables Harbour office 1887", lines) == 1


@needs_ocr
def test_letters_on_transparency_are_read_as_a_page_shows_them() -> None:
    picture = Image.new("RGBA", (480, 120), (0, 0, 0, 0))
    ImageDraw.Draw(picture).text((20, 20), "Harbour office", (0, 0, 0, 255), ImageFont.load_default(48))
    lines = read_text(written(picture, "PNG"), MAX_PIXELS)
    assert not isinstance(lines, Unusable)
    assert text_overlap("Harbour office", lines) == 1


@needs_ocr
@pytest.mark.parametrize("content", [a_view(1), a_view(2, (40, 30)), a_sign(), a_view(3, (300, 3)), a_view(4, (1, 1))])
def test_where_nothing_is_written_nothing_is_read(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def lines_of(picture: Any) -> list[str]:
        raise AssertionError("the test has to say that there is nothing")

    monkeypatch.setattr(picture_text, "lines_of", lines_of)
    assert list(read_text(content, MAX_PIXELS)) == []  # type: ignore[arg-type]


@needs_ocr
def test_a_page_of_text_costs_no_more_than_its_largest_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = Image.new("RGB", (700, 700), "white")
    draw = ImageDraw.Draw(picture)
    for number in range(12):
        draw.text((20, 10 + number * 40), f"small line {number}", "black", ImageFont.load_default(16))
    for number, word in enumerate(("Lighthouse", "Fishermen")):
        draw.text((20, 520 + number * 90), word, "black", ImageFont.load_default(60))
    monkeypatch.setattr(picture_text, "_MOST_LINES", 2)
    lines = read_text(written(picture, "PNG"), MAX_PIXELS)
    assert lines == ["Lighthouse", "Fishermen"]


@pytest.mark.parametrize("content", [b"", b"no image", a_sign("x")[:200]])
def test_files_that_cannot_be_read_are_a_status(content: bytes) -> None:
    assert isinstance(read_text(content, MAX_PIXELS), Unusable)
    found = read_text(a_sign("x"), 100)
    assert isinstance(found, Unusable) and found.status is ImageStatus.TOO_MANY_PIXELS


# --- the stage

HOST = "http://pictures.example"
CONTENTS = {
    "sign.png": a_sign("Opening hours", "of the harbour museum"),
    "again.png": a_sign("Opening hours", "of the harbour museum"),
    "view.jpg": a_view(),
}
ALTS = {"sign.png": "Opening hours of the harbour museum", "again.png": "Something else entirely", "view.jpg": "A sea"}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_clip(tmp_path_factory.mktemp("clip") / "tiny")


def a_warc(folder: Path) -> str:
    page = a_record("http://pages.example/one", [(f"{HOST}/{name}", ALTS[name]) for name in CONTENTS], text="Museum.")
    held = [an_image(f"{HOST}/{name}", content) for name, content in CONTENTS.items()]
    return make_warc(folder / "crawl.warc.gz", [page, *held])


ALT_ONLY = {"texts": ["alt"]}


@needs_both
def test_each_picture_is_read_once_and_compared_with_the_text_beside_it(
    tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bytes] = []

    def watched(content: bytes, max_pixels: int) -> Any:
        asked.append(content)
        return read_text(content, max_pixels)

    monkeypatch.setattr(reading, "read_text", watched)
    rules = {"image": [{"signal": "text_overlap", "max": 0.5}]}
    job = a_job(tmp_path, tiny, a_warc(tmp_path), score=ALT_ONLY, ocr=True, select=rules)
    assert "ocr" in run(job, StageName.SELECT)
    assert len(asked) == len(set(asked)) == 2
    record = ledger.read(job.workspace, StageName.OCR, 0)
    assert record is not None
    assert record.tallies["pictures"].model_dump() == {"taken": 2, "out": 1, "reasons": {"no_text": 1}}
    rows = read_table(job.workspace, TEXT_OVERLAP, 0).to_pylist()
    assert [row["ocr_status"] for row in rows] == ["read", "read", "no_text"]
    assert [row["text_overlap"] for row in rows] == [1, 0, 0]
    assert [bool(row["image_text"]) for row in rows] == [True, True, False]
    (verdict,) = read_table(job.workspace, VERDICTS, 0).to_pylist()
    assert verdict["failed_rule"] == ["image.text_overlap.max"]
    assert verdict["failed_position"] == [rows[0]["position"]]
    assert funnel(job.workspace)["adds_up"], funnel(job.workspace)["problems"]
    assert run(job, StageName.SELECT) == []
    (page,) = explain(job.workspace, "http://pages.example/one")
    shown = [node for node in page["nodes"] if "image" in node]
    assert [node["text_overlap"] for node in shown] == [1, 0, 0]
    scores = [row["clip_score"] for row in rows_of(job)]
    assert [(node["clip_score"], node["clip_text"]) for node in shown] == [(score, "alt") for score in scores]
    assert "Opening" in shown[0]["image_text"] and "image_text" not in shown[2]


@needs_both
def test_damage_since_the_fetch_is_counted(tmp_path: Path, tiny: Path) -> None:
    job = a_job(tmp_path, tiny, a_warc(tmp_path), score=ALT_ONLY, ocr=True)
    run(job)
    damage(job, "view.jpg")
    run_stage(plan_stage(Ocr(), job), job, LocalEngine(1))
    record = ledger.read(job.workspace, StageName.OCR, 0)
    assert record is not None
    tally = record.tallies["images"]
    assert (tally.taken, tally.out, tally.reasons) == (3, 2, {"not_an_image": 1})
    rows = read_table(job.workspace, TEXT_OVERLAP, 0).to_pylist()
    assert [(row["ocr_status"], row["text_overlap"]) for row in rows][2] == ("not_an_image", None)


def test_it_needs_a_scorer_and_its_rule_needs_it() -> None:
    with pytest.raises(ValueError, match=r"ocr compares what a scorer gives: give score\.model"):
        Recipe.model_validate({"ocr": True})
    with pytest.raises(ValueError, match="a rule on text_overlap needs what measures it: set ocr to true"):
        Recipe.model_validate({"score": {"model": "x"}, "select": {"image": [{"signal": "text_overlap", "max": 0.5}]}})
