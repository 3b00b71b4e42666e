"""The score stage over jobs made here: a row for every image that was got, equal to pairs scored one at a time."""

import hashlib
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from curate.errors import UserError
from curate.funnel import funnel
from curate.job import prepare
from curate.loader import load
from curate.stages import stages
from curate.validation import check_shard
from filters.clip import ClipModel, Embeddings
from filters.extras import missing_packages
from pipelines.frame import ledger
from pipelines.frame.engines.beam import BeamEngine
from pipelines.frame.engines.local import LocalEngine
from pipelines.frame.run import StageFailed, plan_stage, run_stage
from pipelines.frame.stage import Job
from pipelines.frame.tables import read_table
from pipelines.measure.stage import Measure
from pipelines.score.ahead import ahead
from pipelines.score.stage import Score
from schemas.recipe import Recipe
from schemas.statuses import ClipText, StageName
from schemas.tables import DOCUMENTS, IMAGES, SCORES, VERDICTS
from tests.archives import make_warc
from tests.image_server import picture
from tests.test_fetch_stage import a_page as a_record
from tests.test_fetch_stage import an_image
from tests.tiny_clip import WIDTH, make_tiny_clip

pytestmark = pytest.mark.skipif(bool(missing_packages("score")), reason="without the extra score")
HOST, SITE = "http://pictures.example", "http://pages.example"
CONTENTS = {
    "a.png": picture("PNG", (200, 160), 1),
    "b.jpg": picture("JPEG", (320, 240), 2),
    "c.webp": picture("WEBP", (180, 180), 3),
    "copy-of-a.png": picture("PNG", (200, 160), 1),
}
PAGES = (
    ("one", ["a.png", "b.jpg", "missing.png"], "Boats lie in the harbour. The tide is out, and the mud shines."),
    ("two", ["copy-of-a.png", "c.webp", "a.png"], "A garden behind the house. Old trees stand in it, and it is quiet."),
    ("three", ["c.webp"], "Nobody came to the market that morning. It rained."),
)
Row = dict[str, Any]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_clip(tmp_path_factory.mktemp("clip") / "tiny")


def a_warc(folder: Path, pages: Sequence[tuple[str, Sequence[str], str]] = PAGES) -> str:
    records = [
        a_record(
            f"http://pages.example/{name}", [(f"{HOST}/{image}", f"alt of {image}") for image in images], text=text
        )
        for name, images, text in pages
    ]
    held = [an_image(f"{HOST}/{name}", content) for name, content in CONTENTS.items()]
    return make_warc(folder / "crawl.warc.gz", [*records, *held])


def a_job(folder: Path, model: Path, warc: str | None = None, score: Mapping[str, Any] = {}, **recipe: Any) -> Job:
    settings = {"fetch": {"enabled": False}, "score": {"model": str(model), **score}, **recipe}
    return prepare(Recipe.model_validate(settings), [warc or a_warc(folder)], str(folder / "out"), 1)


def run(job: Job, until: StageName = StageName.SCORE, workers: int = 1) -> list[str]:
    """Run the stages up to one; which of them had anything to do."""
    ran = []
    for stage in stages(job.recipe, workers, until):
        plan = plan_stage(stage, job)
        ran += [stage.name.value] if plan.todo else []
        run_stage(plan, job, LocalEngine(workers))
    return ran


def damage(job: Job, name: str) -> None:
    """Overwrite a stored image with zeros."""
    row = next(r for r in read_table(job.workspace, IMAGES, 0).to_pylist() if r["url"].endswith(name))
    tar = Path(job.workspace.path(row["shard"]))
    content = bytearray(tar.read_bytes())
    content[row["offset"] : row["offset"] + row["length"]] = bytes(row["length"])
    tar.write_bytes(content)


def rows_of(job: Job) -> list[Row]:
    return [row for p in job.partitions for row in read_table(job.workspace, SCORES, p.partition).to_pylist()]


def counted(job: Job) -> tuple[int, int, dict[str, int]]:
    record = ledger.read(job.workspace, StageName.SCORE, 0)
    assert record is not None
    tally = record.tallies["images"]
    return tally.taken, tally.out, tally.reasons


def test_every_image_that_was_got_has_a_row_in_the_order_of_the_pages(tmp_path: Path, tiny: Path) -> None:
    job = a_job(tmp_path, tiny)
    run(job)
    documents = read_table(job.workspace, DOCUMENTS, 0).to_pylist()
    got = {row["url"] for row in read_table(job.workspace, IMAGES, 0).to_pylist() if row["status"] == "ok"}
    expected = [(d["doc_id"], at) for d in documents for at, url in enumerate(d["images"]) if url in got]
    assert [(row["doc_id"], row["position"]) for row in rows_of(job)] == expected
    assert len(expected) == 6 and counted(job) == (6, 6, {})


def test_scores_are_those_of_open_clip_for_each_pair_alone(tmp_path: Path, tiny: Path) -> None:
    import open_clip
    import torch

    job = a_job(tmp_path, tiny)
    run(job)
    own, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{tiny}", require_pretrained=True)
    tokenizer = open_clip.get_tokenizer(f"local-dir:{tiny}")
    own.eval()

    def cosine(content: bytes, text: str) -> float:
        with torch.no_grad():
            image = own.encode_image(preprocess(Image.open(io.BytesIO(content)).convert("RGB"))[None], normalize=True)
            return float((image @ own.encode_text(tokenizer([text]), normalize=True).T).item())

    documents = {d["doc_id"]: d for d in read_table(job.workspace, DOCUMENTS, 0).to_pylist()}
    texts_of_pages = {f"{SITE}/{name}": text for name, _, text in PAGES}
    for row in rows_of(job):
        document = documents[row["doc_id"]]
        content = CONTENTS[document["images"][row["position"]].rsplit("/", 1)[1]]
        assert row["similarity_alt"] == pytest.approx(cosine(content, document["alts"][row["position"]]), abs=1e-3)
        sentences = [f"{part.strip('.')}." for part in texts_of_pages[document["url"]].split(". ")]
        best = max(cosine(content, sentence) for sentence in sentences)
        assert row["similarity_sentence"] == pytest.approx(best, abs=1e-3)
        assert row["clip_score"] == pytest.approx(cosine(content, row["best_text"]), abs=1e-3)
        found = {kind: row[f"similarity_{kind}"] for kind in ClipText if row[f"similarity_{kind}"] is not None}
        assert row["clip_score"] == max(found.values()) == found[ClipText(row["clip_text"])]
        assert len(row["image_embedding"]) == len(row["text_embedding"]) == WIDTH
        assert np.dot(row["image_embedding"], row["text_embedding"]) == pytest.approx(row["clip_score"], abs=2e-3)


def test_a_picture_and_a_text_are_embedded_once_however_many_pages_have_them(
    tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, list[Any]] = {"images": [], "texts": []}
    whole = ClipModel._embedded

    def watched(model: ClipModel, kind: str, items: Sequence[Any], embed: Any) -> Embeddings:
        seen[kind] += [item if isinstance(item, str) else item.tobytes() for item in items]
        return whole(model, kind, items, embed)

    monkeypatch.setattr(ClipModel, "_embedded", watched)
    run(a_job(tmp_path, tiny))
    assert len(seen["images"]) == len(set(seen["images"])) == 3, "a.png and its copy are one file"
    assert len(seen["texts"]) == len(set(seen["texts"])) > 6


def test_damage_since_the_fetch_is_counted_and_the_rest_is_scored(tmp_path: Path, tiny: Path) -> None:
    job = a_job(tmp_path, tiny)
    run(job, StageName.MEASURE)
    damage(job, "b.jpg")
    run_stage(plan_stage(Score(), job), job, LocalEngine(1))
    failed = [row for row in rows_of(job) if row["score_status"] != "ok"]
    assert [(row["score_status"], row["clip_score"]) for row in failed] == [("undecodable", None)]
    assert counted(job) == (6, 5, {"undecodable": 1})


def test_a_page_that_says_nothing_of_its_pictures_is_a_status(tmp_path: Path, tiny: Path) -> None:
    job = a_job(tmp_path, tiny, score={"texts": ["caption"]})
    run(job)
    assert {row["score_status"] for row in rows_of(job)} == {"no_text"}
    assert counted(job) == (6, 0, {"no_text": 6})


@pytest.mark.parametrize(("tower", "message"), [("visual", "image"), ("text", "texts")])
def test_embeddings_that_are_no_numbers_are_a_status(tmp_path: Path, tower: str, message: str) -> None:
    import torch

    broken = make_tiny_clip(tmp_path / "broken")
    weights = torch.load(broken / "open_clip_pytorch_model.bin")
    name = "visual.ln_post.weight" if tower == "visual" else "ln_final.weight"
    weights[name] = torch.full_like(weights[name], float("nan"))
    torch.save(weights, broken / "open_clip_pytorch_model.bin")
    job = a_job(tmp_path, broken)
    run(job)
    assert {(row["score_status"], message in row["score_message"]) for row in rows_of(job)} == {("not_finite", True)}
    assert counted(job) == (6, 0, {"not_finite": 6})


def digest(job: Job) -> list[str]:
    names = sorted(job.workspace.list("scores"))
    return [hashlib.sha256(Path(job.workspace.path(name)).read_bytes()).hexdigest() for name in names]


def test_the_bytes_are_the_same_for_any_number_of_workers_and_after_a_kill(tmp_path: Path, tiny: Path) -> None:
    folders = [tmp_path / name for name in ("x", "y", "z")]
    for folder in folders:
        folder.mkdir()
    warcs, found = [a_warc(folder) for folder in folders], []
    for workers in (1, 2):
        settings = {"fetch": {"enabled": False}, "score": {"model": str(tiny)}}
        job = prepare(Recipe.model_validate(settings), warcs, str(tmp_path / f"out{workers}"), workers)
        run(job, workers=workers)
        found.append(digest(job))
    assert found[0] == found[1] and len(found[0]) == 3
    job.workspace.remove("ledger/score/00001.json")  # what a worker leaves that was killed before its last word
    plan = plan_stage(Score(), job)
    assert [a.partition.partition for a in plan.todo] == [1]
    run_stage(plan, job, LocalEngine(1))
    assert digest(job) == found[0]


def test_an_accelerator_is_a_hint_of_this_stage_and_changes_nothing(tmp_path: Path, tiny: Path) -> None:
    import apache_beam as beam

    from pipelines.frame.engines.pipeline import Work

    kind = "type:nvidia-l4;count:1;install-nvidia-driver"
    plain, hinted = tmp_path / "plain", tmp_path / "hinted"
    for folder in (plain, hinted):
        folder.mkdir()
    without = a_job(plain, tiny)
    run(without)
    job = a_job(hinted, tiny, a_warc(plain), score={"accelerator": kind})
    run(job, StageName.FETCH)
    for stage in (Measure(), Score()):
        pipeline = beam.Pipeline()
        _ = pipeline | Work(stage, 1, job, None)
        hints = [dict(e.resource_hints) for e in pipeline.to_runner_api().components.environments.values()]
        assert any(kind.encode() in of.values() for of in hints) == (stage.name is StageName.SCORE)
    run_stage(plan_stage(Measure(), job), job, LocalEngine(1))
    runner = "--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner"
    run_stage(plan_stage(Score(), job), job, BeamEngine([runner]))
    assert digest(job) == digest(without)


def test_other_weights_score_again_and_the_same_ones_do_not(tmp_path: Path) -> None:
    model = make_tiny_clip(tmp_path / "model")
    job = a_job(tmp_path, model)
    assert "score" in run(job) and run(job) == []
    other = make_tiny_clip(tmp_path / "other", seed=1)
    (model / "open_clip_pytorch_model.bin").write_bytes((other / "open_clip_pytorch_model.bin").read_bytes())
    assert run(job) == ["score"]


def test_rules_bound_scores_by_page_and_the_top_share_is_kept(tmp_path: Path, tiny: Path) -> None:
    job = a_job(tmp_path, tiny, select={"image": [{"signal": "clip_score", "keep_top": 0.5}]})
    run(job, StageName.SELECT)
    scores = {(row["doc_id"], row["position"]): row["clip_score"] for row in rows_of(job)}
    bound = sorted(scores.values(), reverse=True)[2]
    kept = {
        (row["doc_id"], at)
        for row, document in zip(
            read_table(job.workspace, VERDICTS, 0).to_pylist(),
            read_table(job.workspace, DOCUMENTS, 0).to_pylist(),
            strict=True,
        )
        for at, (is_kept, url) in enumerate(zip(row["node_kept"], document["images"], strict=True))
        if is_kept and url is not None
    }
    assert kept == {node for node, score in scores.items() if score >= bound}
    assert funnel(job.workspace)["adds_up"], funnel(job.workspace)["problems"]


@pytest.mark.parametrize("placement", ["dom", "matched"])
def test_samples_carry_the_scores_and_images_stand_where_the_recipe_says(
    tmp_path: Path, tiny: Path, placement: str
) -> None:
    job = a_job(tmp_path, tiny, pack={"placement": placement, "merge_texts": False})
    run(job, StageName.PACK)
    shard = job.workspace.path("shards/00000-000.tar")
    assert check_shard(shard).problems == []
    scores = {(row["doc_id"], row["position"]): row for row in rows_of(job)}
    documents = {row["doc_id"]: row for row in read_table(job.workspace, DOCUMENTS, 0).to_pylist()}
    seen = 0
    for sample in load(shard, decode="bytes"):
        page = documents[sample.key]
        for place, entry in enumerate(sample.metadata):
            if entry is None:
                continue
            seen += 1
            rows = [scores[sample.key, at] for at, url in enumerate(page["images"]) if url == entry["url"]]
            row = next(row for row in rows if round(row["clip_score"], 4) == entry["clip_score"])
            assert entry["clip_text"] == row["clip_text"]
            if placement == "matched":  # before a sentence that is as good as any, but for those others have taken
                following = next(text for text in sample.texts[place:] if text is not None)
                assert following.split(".")[0] in " ".join(text for text in page["texts"] if text)
            else:
                assert sample.texts[place - 1] == page["texts"][row["position"] - 1]
    assert seen == 6


def test_a_recipe_without_a_scorer_has_no_such_stage_and_no_such_rule(tmp_path: Path) -> None:
    assert StageName.SCORE not in [stage.name for stage in stages(Recipe())]
    with pytest.raises(ValueError, match=r"a rule on clip_score needs what measures it: give score\.model"):
        Recipe.model_validate({"select": {"image": [{"signal": "clip_score", "min": 0.2}]}})
    negative = {"score": {"model": "x"}, "select": {"image": [{"signal": "clip_score", "max": -0.1}]}}
    assert Recipe.model_validate(negative).select.image[0].max == -0.1
    with pytest.raises(UserError, match=r"score: model: .* no such folder"):
        a_job(tmp_path, tmp_path / "none")


def test_a_model_that_cannot_be_loaded_ends_the_run_with_the_reason(tmp_path: Path) -> None:
    model = make_tiny_clip(tmp_path / "model")
    (model / "open_clip_pytorch_model.bin").write_bytes(b"no weights")
    with pytest.raises(StageFailed, match=r"score: 1 of 1 partitions failed.*model cannot be loaded"):
        run(a_job(tmp_path, model))


def test_work_ahead_keeps_its_order_and_its_bound() -> None:
    taken: list[int] = []

    def items() -> Any:
        for number in range(50):
            taken.append(number)
            yield number

    results = ahead(lambda number: number * 2, items(), threads=4, pending=5)
    first = [next(results) for _ in range(10)]
    assert first == [number * 2 for number in range(10)]
    assert len(taken) <= 10 + 6
    assert [*results][-1] == 98
