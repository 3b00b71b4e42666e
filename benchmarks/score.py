"""How fast a job's images are scored: the stage beside what its model alone takes, and beside a loop over documents.

    python benchmarks/score.py OUT --model FOLDER
    python benchmarks/score.py OUT --model ViT-L-14 --pretrained openai --device cuda:0
    python benchmarks/score.py OUT --model ViT-L-14 --random

OUT is the output of a job that has got its images (`curate run … --until measure`). In one process, on the same pages:

`stage`     what `score` does: read, decode ahead, embed each distinct picture and text once, compare, write.
`bare`      both towers alone, on the same pictures and tokens, batched in the same way and on the device beforehand.
`loop`      a document at a time, as NeMo Curator's interleaved CLIP filter does it: its pictures through open_clip's
            own preprocessing, its texts padded to the whole context, one batch of each. The texts are those that the
            stage compares, so that both come to the same scores.
`nodes`     the same loop over other texts, as that filter has them: every text of the document as a whole, of which
            the model sees the beginning. Less work, and not the same scores.

Each is timed `--repeats` times in turn and the fastest taken. Printed are images, texts and tokens a second, ratios,
and on a GPU the share of the stage's time in which it was busy (needs nvidia-ml-py). Where no weights can be had
`--random` makes some: they take the same time.
"""

import argparse
import io
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import open_clip
import torch
from PIL import Image

from curate.job import read_recipe_of
from filters.candidate_texts import PageTexts
from filters.clip import ClipModel, shared_model
from filters.image_header import Unusable
from pipelines.frame import partitions, tables
from pipelines.frame.image_files import ImageFiles
from pipelines.frame.participants import participants
from pipelines.frame.partitions import Partition
from pipelines.frame.storage import Workspace
from pipelines.frame.task import Assignment, Task
from pipelines.score import devices
from pipelines.score.stage import COLUMNS, Score
from schemas.recipe import Recipe, ScoreSettings
from schemas.statuses import ImageStatus, ScoreStatus
from schemas.tables import IMAGES, SCORES


@dataclass
class Seen:
    """What the stage gave its model: the batches of pictures and of texts, in order."""

    pictures: list[Sequence[Any]] = field(default_factory=list)
    texts: list[Sequence[str]] = field(default_factory=list)


def main() -> None:
    """Print a table."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="curate-score-") as folder:
        pretrained = _random_weights(options.model, Path(folder)) if options.random else options.pretrained
        settings = ScoreSettings(
            model=options.model, pretrained=pretrained, precision=options.precision, batch_images=options.batch
        )
        model = shared_model(settings, options.device)
    workspace = Workspace(options.output)
    recipe = read_recipe_of(workspace).model_copy(update={"score": settings})
    setattr(devices, "own_device", lambda: options.device)  # noqa: B010 - mypy knows it as a function with a cache
    todo = partitions.load(workspace)
    with tempfile.TemporaryDirectory(prefix="curate-score-") as folder:
        seen = _watched(model, lambda: _stage(workspace, recipe, todo, Path(folder)))
        images, texts = sum(map(len, seen.pictures)), sum(map(len, seen.texts))
        tokens = sum(min(model.count_tokens(text), model.room) + 2 for batch in seen.texts for text in batch)
        pages = list(_pages(workspace, recipe, todo, model))
        bare = _bare(model, seen)
        ways: dict[str, Callable[[], object]] = {
            "stage": lambda: _stage(workspace, recipe, todo, Path(folder)),
            "bare": bare,
            "loop": lambda: _loop(model, [(page.pictures, page.candidates) for page in pages]),
            "nodes": lambda: _loop(model, [(page.pictures, page.nodes) for page in pages]),
        }
        seconds = {name: float("inf") for name in ways}
        busy = 0.0
        for _ in range(options.repeats):
            for name, way in ways.items():
                with _busy(options.device) if name == "stage" else nullcontext([0.0]) as share:
                    seconds[name] = min(seconds[name], _timed(way, options.device))
                busy = max(busy, share[0])
        scored = _scored(workspace, Path(folder), todo)
    print(f"{settings.model}, {options.device}, {len(pages):,} documents with {scored:,} scores, "
          f"{images:,} distinct pictures, {texts:,} distinct texts")  # fmt: skip
    for name, took in seconds.items():
        rate = f"{images / took:10,.1f} images/s {texts / took:10,.1f} texts/s {tokens / took:12,.0f} tokens/s"
        print(f"{name:6} {took:8.2f} s {rate}   stage is {took / seconds['stage']:.2f}x")
    if options.device.startswith("cuda"):
        print(f"GPU busy during the stage: {busy:.0%}; decode threads {devices.decode_threads()}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output")
    parser.add_argument("--model", required=True)
    parser.add_argument("--pretrained")
    parser.add_argument("--random", action="store_true", help="random weights instead of pretrained ones")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--device", default="cuda:0" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--batch", type=int, default=0, help="pictures at once; 0: what the stage takes by itself")
    parser.add_argument("--repeats", type=int, default=3)
    return parser.parse_args()


def _random_weights(model: str, folder: Path) -> str:
    path = folder / "random.pt"
    torch.save(open_clip.create_model(model).state_dict(), path)
    return str(path)


def _stage(workspace: Workspace, recipe: Recipe, todo: Sequence[Partition], folder: Path) -> None:
    """The stage on every partition, into a folder of its own instead of the job's."""
    for partition in todo:
        task = _Beside("score", Assignment(partition, ""), workspace, recipe, folder)
        Score().process(task, ())


class _Beside(Task):
    """A task whose outputs go into another folder and are never committed."""

    def __init__(self, stage: str, work: Assignment, workspace: Workspace, recipe: Recipe, folder: Path) -> None:
        super().__init__(stage, work, workspace, recipe)
        self._folder = folder

    def file(self, name: str) -> Path:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        self._staged[name] = (path, {})
        return path


def _watched(model: ClipModel, run: Callable[[], None]) -> Seen:
    """Run something and note what the model was given."""
    seen, pictures, texts = Seen(), model.embed_images, model.embed_texts

    def images(batch: Sequence[Any]) -> Any:
        seen.pictures.append(batch)
        return pictures(batch)

    def words(batch: Sequence[str]) -> Any:
        seen.texts.append(batch)
        return texts(batch)

    with patch.object(model, "embed_images", images), patch.object(model, "embed_texts", words):
        run()
    return seen


def _bare(model: ClipModel, seen: Seen) -> Callable[[], None]:
    """Both towers on what the stage had them do, already on the device and normalised."""
    pictures = [model.pixels(some) for batch in seen.pictures for some in _parts(batch, model.batch_sizes["images"])]
    tokens = [
        model.tokens(some)
        for batch in seen.texts
        for some in _parts(sorted(batch, key=model.count_tokens), model.batch_sizes["texts"])
    ]

    def run() -> None:
        with model.inference():
            for batch in pictures:
                model.image_features(batch)
            for batch in tokens:
                model.text_features(batch)

    return run


def _parts(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for begin in range(0, len(items), size):
        yield items[begin : begin + size]


@dataclass(frozen=True)
class Page:
    """A document's pictures, as bytes in memory, its distinct candidate texts, and its texts as they are."""

    pictures: list[bytes]
    candidates: list[str]
    nodes: list[str]


def _pages(workspace: Workspace, recipe: Recipe, todo: Sequence[Partition], model: ClipModel) -> Iterator[Page]:
    """Every document that has pictures."""
    assert recipe.score is not None
    for partition in todo:
        rows = tables.read_table(workspace, IMAGES, partition.partition).to_pylist()
        got = {row["url"]: row for row in rows if row["status"] == ImageStatus.OK.value}
        with ImageFiles(workspace) as files:
            contents = {
                url: content for url, row in got.items() if not isinstance(content := files.read(row), Unusable)
            }
        for batch in participants(workspace, partition.partition, recipe, COLUMNS):
            for document in batch.to_pylist():
                places = [at for at, url in enumerate(document["images"]) if url in contents]
                if places:
                    pictures = [contents[document["images"][at]] for at in places]
                    candidates = _candidates(document, places, recipe.score, model)
                    yield Page(pictures, candidates, [text for text in document["texts"] if text])


def _candidates(
    document: Mapping[str, Any], places: Sequence[int], settings: ScoreSettings, model: ClipModel
) -> list[str]:
    texts = PageTexts(document, settings, model.room, model.count_tokens)
    found = dict.fromkeys(texts.sentences)
    for place in places:
        for pieces in texts.candidates(place).values():
            found |= dict.fromkeys(pieces)
    return list(found)


def _loop(model: ClipModel, pages: Sequence[tuple[list[bytes], list[str]]]) -> float:
    """One document after another; each picture keeps its best text."""
    total = 0.0
    with model.inference():
        for pictures, texts in pages:
            opened = [model.preprocess(Image.open(io.BytesIO(content)).convert("RGB")) for content in pictures]
            pixels = model.pixels([np.asarray(image).transpose(2, 0, 1) for image in opened])
            images = torch.nn.functional.normalize(model.image_features(pixels).float(), dim=-1)
            if texts:
                tokens = model.tokenizer(texts).to(model.device)
                found = torch.nn.functional.normalize(model.text_features(tokens).float(), dim=-1)
                total += float((images @ found.T).max(dim=1).values.sum())
    return total


def _timed(way: Callable[[], object], device: str) -> float:
    began = time.perf_counter()
    way()
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    return time.perf_counter() - began


@contextmanager
def _busy(device: str) -> Iterator[list[float]]:
    """Share of time in which a GPU was busy, by its own counter; 0 on a CPU."""
    share, samples, over = [0.0], list[int](), threading.Event()

    def watch() -> None:
        while not over.wait(0.1):
            samples.append(torch.cuda.utilization(torch.device(device)))

    watcher = threading.Thread(target=watch, daemon=True)
    if device.startswith("cuda"):
        watcher.start()
    yield share
    over.set()
    if samples:
        share[0] = sum(samples) / len(samples) / 100


def _scored(workspace: Workspace, folder: Path, todo: Sequence[Partition]) -> int:
    beside = Workspace(str(folder))
    count = 0
    for partition in todo:
        statuses = tables.read_table(beside, SCORES, partition.partition, ["score_status"]).column(0).to_pylist()
        count += statuses.count(ScoreStatus.OK.value)
    shutil.rmtree(folder / "scores")
    return count


if __name__ == "__main__":
    main()
