"""Pages made from emoji through the whole chain up to score, by the packaged model: swapped pictures score lower."""

import io
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from curate.funnel import funnel
from curate.stages import stages
from filters.extras import missing_packages
from pipelines.frame.tables import read_table
from schemas.recipe import Recipe
from schemas.statuses import StageName
from schemas.tables import DOCUMENTS, VERDICTS
from tests.archives import make_warc, response
from tests.test_fetch_stage import an_image
from tests.test_score_stage import a_job, rows_of, run

pytestmark = pytest.mark.skipif(bool(missing_packages("score")), reason="without the extra score")
PICTURES = sorted((Path(__file__).parent / "emoji").glob("*.png"))
HOST = "http://emoji.example"
OF_A_PAGE, PAGES = 4, 60
# None of them is a text that the model was trained on.
SENTENCES = (
    "Nobody in our village had ever heard of {} before that day.",
    "The museum shows {} in its second room, next to the window.",
    "Last summer my sister wrote a long letter about {} to us.",
    "The next chapter of the book deals with {} and nothing else.",
)
CLOSING = "That is all there is to say about it for now, as far as we know."
# Pictures of one emoji at other sizes are nearer than this, those of two emoji are not.
NEAR = 0.93
LEAST_SHARE = 0.95  # of pages that score above the same page with swapped pictures


def named(path: Path) -> str:
    return path.stem.replace("_", " ")


def a_page(name: str, shown: Sequence[Path], told: Sequence[Path]) -> bytes:
    """A page that shows some pictures, each below a sentence about what another list says."""
    parts = [
        f"<p>{sentence.format(named(about))}</p><p><img src='{HOST}/{picture.name}'></p>"
        for sentence, about, picture in zip(SENTENCES, told, shown, strict=True)
    ]
    body = (
        f"<!DOCTYPE html><html><body><article><h1>{name}</h1>{''.join(parts)}<p>{CLOSING}</p></article></body></html>"
    )
    return response(f"{HOST}/{name}", body.encode())


def moved(shown: Sequence[Path], chance: np.random.Generator) -> list[Path]:
    """The same pictures, none of them beside its own sentence: that stands before it or behind the one before it."""
    while True:
        order = chance.permutation(len(shown))
        if not np.any((order == np.arange(len(shown))) | (order == np.arange(len(shown)) + 1)):
            return [shown[at] for at in order]


def pages() -> Iterator[bytes]:
    chance = np.random.default_rng(7)
    for number in range(PAGES):
        told = [PICTURES[at] for at in chance.choice(len(PICTURES), OF_A_PAGE, replace=False)]
        yield a_page(f"{number}-whole", told, told)
        yield a_page(f"{number}-swapped", moved(told, chance), told)


def test_a_page_with_swapped_pictures_scores_lower(tmp_path: Path) -> None:
    images = [an_image(f"{HOST}/{path.name}", path.read_bytes()) for path in PICTURES]
    warc = make_warc(tmp_path / "emoji.warc.gz", [*pages(), *images])
    texts = {"texts": ["preceding", "following"], "window_characters": 20}
    job = a_job(tmp_path, Path("emoji-clip"), warc, score=texts)
    run(job)
    urls = {row["doc_id"]: row["url"] for row in read_table(job.workspace, DOCUMENTS, 0).to_pylist()}
    scores: dict[str, list[float]] = {}
    for row in rows_of(job):
        scores.setdefault(urls[row["doc_id"]], []).append(row["clip_score"])
    assert {len(of_page) for of_page in scores.values()} == {OF_A_PAGE}
    means = [np.mean(scores[f"{HOST}/{n}-{kind}"]) for n in range(PAGES) for kind in ("whole", "swapped")]
    above = [whole > swapped for whole, swapped in list(pairwise(means))[::2]]
    assert np.mean(above) >= LEAST_SHARE


def at_side(path: Path, side: int) -> bytes:
    """A drawing at another size, as JPEG."""
    into = io.BytesIO()
    with Image.open(path) as drawing:
        drawing.convert("RGB").resize((side, side), Image.Resampling.LANCZOS).save(into, "JPEG", quality=90)
    return into.getvalue()


def test_of_one_drawing_at_three_sizes_the_largest_stays_and_other_drawings_do(tmp_path: Path) -> None:
    some = PICTURES[:12]
    shown = [f"{path.stem}-{side}.jpg" for path in some for side in (64, 100, 160)]
    images = [an_image(f"{HOST}/{p.stem}-{s}.jpg", at_side(p, s)) for p in some for s in (64, 100, 160)]
    nodes = "".join(f"<p>{CLOSING} {number}.</p><p><img src='{HOST}/{name}'></p>" for number, name in enumerate(shown))
    page = response(f"{HOST}/all", f"<!DOCTYPE html><html><body><article>{nodes}</article></body></html>".encode())
    recipe: dict[str, Any] = {
        "dedup": {"semantic": {}},
        "select": {"image": [{"signal": "semantic_similarity", "max": NEAR}]},
    }
    job = a_job(tmp_path, Path("emoji-clip"), make_warc(tmp_path / "sizes.warc.gz", [page, *images]), **recipe)
    run(job, StageName.SELECT)
    (document,) = read_table(job.workspace, DOCUMENTS, 0).to_pylist()
    (verdict,) = read_table(job.workspace, VERDICTS, 0).to_pylist()
    kept = {url for url, is_kept in zip(document["images"], verdict["node_kept"], strict=True) if url and is_kept}
    assert kept == {f"{HOST}/{path.stem}-160.jpg" for path in some}
    assert set(verdict["failed_rule"]) == {"image.semantic_similarity.max"}
    assert funnel(job.workspace)["adds_up"], funnel(job.workspace)["problems"]


def test_semantic_duplicates_need_a_scorer_and_their_rule_needs_them() -> None:
    with pytest.raises(ValueError, match=r"dedup\.semantic compares what a scorer gives: give score\.model"):
        Recipe.model_validate({"dedup": {"semantic": {}}})
    with pytest.raises(ValueError, match=r"a rule on semantic_similarity needs what measures it: give dedup\.semantic"):
        Recipe.model_validate({"select": {"image": [{"signal": "semantic_similarity", "max": 0.95}]}})
    assert StageName.DEDUP_SEMANTIC not in [stage.name for stage in stages(Recipe())]
