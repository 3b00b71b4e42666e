"""Rounds over a job's sample: seeds are shared out among the workers, the driver judges, and writes down everything."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from filters.adapters import ARRAYS, Adapter
from filters.alignment_auc import Areas
from filters.bootstrapping import (
    PASSES,
    Gain,
    Judgement,
    Rival,
    Run,
    Sample,
    Scorer,
    judged,
    no_worse,
    run_seed,
    scorer_of,
    too_few,
)
from filters.embeddings import Embeddings, Floats
from pipelines.bootstrap.sample import PAGE_PAIRS, Corpus, Keep, Offer, folds_up_to, load
from pipelines.frame.engine import Engine
from pipelines.frame.exchange import Array, exchange, ranges_for
from schemas.recipe import BootstrapSettings

_VERSION = 1
_SCORER, _RUNS, _OUTCOME = "scorer", "runs", "outcome"
_USUAL_PAIR_BYTES = 2 * 2 * 768
_DIGITS = 6


def run(engine: Engine, corpus: Corpus, partitions: Sequence[int], rows: int) -> None:
    """Draw the sample from scores of so many rows, do rounds until one is no gain, and leave what `outcome` reads."""
    settings = _settings(corpus)
    offered = min(rows, 2 * settings.pairs) * _USUAL_PAIR_BYTES
    offer = Offer(corpus, rows, settings.pairs, ranges_for(offered))
    exchange(engine, "sample", partitions, offer, Keep(corpus), total_bytes=offered)
    drawn = load(corpus, settings.pairs, settings.seeds)
    sample = drawn.sample
    report = _begun(sample, settings)
    scorer: Scorer | None = None
    for number in range(1, settings.rounds + 1):
        if too_few(sample, settings.top):
            report["ended"] = "too few pairs"
            break
        entry, after = _round(engine, corpus, sample, scorer, number)
        report["rounds"].append(entry)
        if after is None:
            report["ended"] = f"round {number} was no gain over: {', '.join(entry['failed'])}"
            break
        scorer, report["scorer"], report["ended"] = after, f"round {number}", "all rounds were done"
    corpus.scratch.write(_OUTCOME, 0, [_text(report), np.array([drawn.last]), *_flat(scorer)])


@dataclass(frozen=True, eq=False)
class Outcome:
    """What rounds.json says, the scorer that was accepted last (None where none was), and its sample's last hash."""

    report: str
    scorer: Scorer | None
    last: np.uint64

    @classmethod
    def read(cls, corpus: Corpus) -> "Outcome":
        """As `run` left it."""
        text, last, *arrays = corpus.scratch.arrays(_OUTCOME, 0)
        return cls(text.tobytes().decode(), _scorer_of(arrays), last[0])

    def cosines(self, images: Embeddings, texts: Embeddings, doc_ids: Sequence[str]) -> Floats:
        """The cosine of each pair of a page by the scorer, which has to be there."""
        assert self.scorer is not None
        return self.scorer.cosines(images, texts, folds_up_to(self.last, doc_ids, len(self.scorer.adapters)))


@dataclass(frozen=True)
class Seed:
    """Trains and measures with a seed, and leaves what it found."""

    corpus: Corpus
    number: int

    def __call__(self, seed: int) -> Iterator[tuple[int, list[Array]]]:
        """Nothing is emitted."""
        settings = _settings(self.corpus)
        sample = load(self.corpus, settings.pairs, settings.seeds).sample
        before = _scorer_of(self.corpus.scratch.arrays(f"{_SCORER}-{self.number}", 0))
        found = run_seed(sample, before, settings.top, seed)
        areas = {name: [[of.page, of.shuffled] for of in some] for name, some in _all_areas(found).items()}
        flat = [array for adapter in found.adapters for array in adapter.flat()]
        self.corpus.scratch.write(f"{_RUNS}-{self.number}", seed, [_text(areas), *flat])
        yield from ()


def _round(
    engine: Engine, corpus: Corpus, sample: Sample, before: Scorer | None, number: int
) -> tuple[dict[str, Any], Scorer | None]:
    """What a round says in rounds.json, and its scorer where it was accepted."""
    settings = _settings(corpus)
    corpus.scratch.write(f"{_SCORER}-{number}", 0, _flat(before))
    # With more than fits in one bucket they are shared out; a seed of fewer is done before a worker has started.
    work = settings.seeds * len(sample.pairs) * 2 * sample.pairs.images.itemsize * sample.pairs.images.shape[1]
    exchange(engine, f"round_{number}", range(settings.seeds), Seed(corpus, number), total_bytes=work)
    runs = [_read_run(corpus, number, seed) for seed in range(settings.seeds)]
    judgement = judged(runs)
    failed = [*(rival.value for rival in judgement.failed), *(f"before ({kind})" for kind in judgement.lost)]
    after = scorer_of(runs, judgement)
    if not failed and not no_worse(sample, after, before):
        failed = ["before (adapter of the median seed)"]
    return _entry(number, runs, judgement, failed), None if failed else after


def _read_run(corpus: Corpus, number: int, seed: int) -> Run:
    text, *arrays = corpus.scratch.arrays(f"{_RUNS}-{number}", seed)
    areas = {name: [Areas(*pair) for pair in some] for name, some in json.loads(text.tobytes()).items()}
    (before,) = areas.pop(Rival.BEFORE)
    return Run(before, areas, _adapters(arrays))


def _all_areas(run: Run) -> dict[str, Sequence[Areas]]:
    return {Rival.BEFORE.value: [run.before], **run.areas}


def _adapters(arrays: Sequence[Array]) -> list[Adapter]:
    return [Adapter.from_flat(arrays[at : at + ARRAYS]) for at in range(0, len(arrays), ARRAYS)]


def _flat(scorer: Scorer | None) -> list[Array]:
    """A scorer's numbers, for `_scorer_of`; none of none."""
    if scorer is None:
        return []
    return [np.array([scorer.kept]), *(array for adapter in scorer.adapters for array in adapter.flat())]


def _scorer_of(arrays: Sequence[Array]) -> Scorer | None:
    if not arrays:
        return None
    kept, *rest = arrays
    return Scorer(_adapters(rest), int(kept[0]))


def _settings(corpus: Corpus) -> BootstrapSettings:
    assert corpus.recipe.bootstrap is not None
    return corpus.recipe.bootstrap


def _begun(sample: Sample, settings: BootstrapSettings) -> dict[str, Any]:
    return {
        "version": _VERSION,
        "tried_passes": list(PASSES),
        "settings": settings.model_dump(mode="json"),
        "sample": {
            "pairs": len(sample.pairs),
            "pages": len(np.unique(sample.pairs.pages)),
            "training_pairs": len(sample.training),
            "held_out_pairs": len(sample.pairs) - len(sample.training),
            "measured_pairs": len(sample.measured),
            "most_pairs_of_a_page": PAGE_PAIRS,
        },
        "rounds": [],
        "scorer": "frozen",
        "ended": "",
    }


def _entry(number: int, runs: Sequence[Run], judgement: Judgement, failed: list[str]) -> dict[str, Any]:
    return {
        "round": number,
        "accepted": not failed,
        "failed": failed,
        "gains": {rival.value: _gain(gain) for rival, gain in judgement.gains.items()},
        "changes": {kind: _gain(change) for kind, change in judgement.changes.items()},
        "passes": {name: PASSES[place] for name, place in judgement.best.items()},
        "kept_seed": None if failed else judgement.median,
        "areas": {
            name: [[_areas(area) for area in _all_areas(run)[name]] for run in runs] for name in _all_areas(runs[0])
        },
    }


def _gain(gain: Gain) -> dict[str, float | None]:
    return {"mean": _rounded(gain.mean), "spread": _rounded(gain.spread)}


def _areas(areas: Areas) -> Mapping[str, float | None]:
    return {"page": _rounded(areas.page), "shuffled": _rounded(areas.shuffled), "both": _rounded(areas.both)}


def _rounded(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else round(value, _DIGITS)


def _text(data: Any) -> Array:
    return np.frombuffer((json.dumps(data, indent=1) + "\n").encode(), np.uint8)
