"""One bootstrapping round on a corpus made noisy on purpose, beside its controls, and what the stage's rule decides.

    PYTHONPATH=. python benchmarks/bootstrap.py WEAK.npz STRONG.npz
    PYTHONPATH=. python benchmarks/bootstrap.py --synthetic

An .npz file has what a scorer made of clean pairs: `image` and `text` (n x width, unit length), `page` (n integers).
For each of ten seeds a third of the pages is set apart, clean, and of the texts of the others 30 % are swapped. On
these adapters are trained: on the top half by the scorer's own cosine, on a random half, on everything, and on a half
of clean pairs, which nobody knows in practice. What they change is measured on the pages set apart. Then a round as the
stage does it runs on the noisy part alone, and what it ends with is measured on the clean pages too.

A file may have `clean` (n flags) with pairs that were swapped before: then nothing is swapped, and dirty pairs are
left out of what is set apart. `--synthetic` plants pairs by the model in tests/planted_pairs.py, and needs no scorer.
"""

import argparse
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from filters.adapter_training import Pairs, schedule_for, trained
from filters.adapters import Adapter
from filters.alignment_auc import Areas, scored, shuffled_partners
from filters.bootstrapping import (
    PASSES,
    Sample,
    folds_of,
    judged,
    no_worse,
    run_seed,
    scorer_of,
    scores_of,
    too_few,
    top_rows,
)
from filters.embeddings import unit
from filters.one_thread import one_thread
from tests.planted_pairs import plant, swapped

Integers = npt.NDArray[np.int64]
SET_APART, TOP = 1 / 3, 0.5
ARMS = ("top half", "random half", "everything", "clean half")


@dataclass(frozen=True, eq=False)
class Embedded:
    """What a scorer made of n pairs; `clean` says which texts are their pictures' own."""

    name: str
    images: npt.NDArray[np.float16]
    texts: npt.NDArray[np.float16]
    pages: Integers
    clean: npt.NDArray[np.bool_]

    @classmethod
    def read(cls, path: str) -> "Embedded":
        """From a file."""
        with np.load(path) as held:
            images, texts = (unit(held[name]).astype(np.float16) for name in ("image", "text"))
            pages = np.unique(held["page"], return_inverse=True)[1].astype(np.int64)
            clean = held["clean"].astype(np.bool_) if "clean" in held else np.ones(len(pages), np.bool_)
        return cls(Path(path).stem, images, texts, pages, clean)

    @classmethod
    def planted(cls, name: str, pages: int, blur: float) -> "Embedded":
        """By the model of tests/planted_pairs.py."""
        found = plant(pages, blur, noise=0.0, seed=11)
        return cls(name, found.images, found.texts, found.pages, found.clean)

    def pairs(self, rows: Integers, partners: Integers) -> Pairs:
        """Pairs of these rows with the texts of others of them."""
        numbers = _equal(self.texts)
        return Pairs(
            self.images[rows], self.texts[rows[partners]], self.pages[rows], _equal(self.images)[rows],
            numbers[rows[partners]],
        )  # fmt: skip


@dataclass(frozen=True)
class Found:
    """Of one seed: how clean each slice is, the areas on clean pairs before and after, and what the stage did."""

    clean: dict[str, float]
    before: Areas
    after: dict[str, list[Areas]]
    decided: str
    ended_with: Areas


def measure(embedded: Embedded, seed: int, noise: float, runs: int) -> Found:
    """Swap, train, measure."""
    rng = np.random.default_rng((seed, 77))
    apart = np.isin(embedded.pages, _drawn(embedded.pages, rng))
    test = np.flatnonzero(apart & embedded.clean)
    rest = np.flatnonzero(~apart)
    partners = swapped(len(rest), noise, rng) if embedded.clean.all() else np.arange(len(rest))
    clean = embedded.clean[rest] & (partners == np.arange(len(rest)))
    corpus, measured = embedded.pairs(rest, partners), embedded.pairs(test, np.arange(len(test)))
    drawn = shuffled_partners(measured, rng)

    def areas(adapter: Adapter | None) -> Areas:
        return scored(measured, adapter, drawn).areas(np.arange(len(test)))

    everything = np.arange(len(rest))
    top = top_rows(scores_of(Sample(corpus, everything), None), everything, TOP)
    slices = dict(zip(ARMS, (top, rng.permutation(everything)[: len(top)], everything,
                             np.flatnonzero(clean)[: len(top)]), strict=True))  # fmt: skip
    with one_thread():
        after = {
            arm: [areas(trained(corpus, rows, schedule_for(len(top), passes), seed)) for passes in PASSES]
            for arm, rows in slices.items()
        }
        decided, scorer = stage_round(corpus, seed, runs)
        return Found(
            {arm: float(clean[rows].mean()) for arm, rows in slices.items()}, areas(None),
            after, decided, areas(scorer),
        )  # fmt: skip


def stage_round(corpus: Pairs, seed: int, runs: int) -> tuple[str, Adapter | None]:
    """One round as the stage does it: what it says, and the scorer that it ends with."""
    drawn = np.random.default_rng((seed, 78)).integers(0, 2**63, int(corpus.pages.max()) + 1).astype(np.uint64)
    sample = Sample(corpus, folds_of(drawn, runs)[corpus.pages])
    if too_few(sample, TOP):
        return "too few pairs", None
    done = [run_seed(sample, None, TOP, number) for number in range(runs)]
    judgement = judged(done)
    after = scorer_of(done, judgement)
    if judgement.failed or judgement.lost:
        return f"no gain over {', '.join([*judgement.failed, *judgement.lost])}", None
    return ("accepted", after.adapter) if no_worse(sample, after, None) else ("median seed is worse", None)


def report(embedded: Embedded, found: Sequence[Found]) -> Iterable[str]:
    """A table of one scorer."""
    yield f"\n{embedded.name}: {len(embedded.pages):,} pairs of {embedded.pages.max() + 1:,} pages, {len(found)} seeds"
    yield f"AUC before, on clean pairs set apart: page {_mean(f.before.page for f in found)}, " \
          f"shuffled {_mean(f.before.shuffled for f in found)}"  # fmt: skip
    yield "| trained on | passes | clean pairs | change, page | change, shuffled | change, both | best top half above |"
    yield "|---|---|---|---|---|---|---|"
    best = {arm: int(np.argmax([np.mean([f.after[arm][at].both for f in found]) for at in range(len(PASSES))]))
            for arm in ARMS}  # fmt: skip
    for arm in ARMS:
        for at, passes in enumerate(PASSES):
            changes = [
                _mean(_less(getattr(f.after[arm][at], kind), getattr(f.before, kind)) for f in found)
                for kind in ("page", "shuffled", "both")
            ]
            over = [_less(f.after[ARMS[0]][best[ARMS[0]]].both, f.after[arm][at].both) or 0.0 for f in found]
            above = f"{_mean(over)}, {sum(o > 0 for o in over)} of {len(over)}"
            marks = ("**", above) if at == best[arm] else ("", "")
            yield (
                f"| {arm} | {marks[0]}{passes}{marks[0]} | {_mean(f.clean[arm] for f in found)} | "
                f"{' | '.join(changes)} | {marks[1] if arm != ARMS[0] else ''} |"
            )
    yield f"the stage: {'; '.join(f'{n} x {what}' for what, n in Counter(f.decided for f in found).most_common())}"
    ended = [_less(f.ended_with.both, f.before.both) or 0.0 for f in found]
    yield f"it ended {_mean(ended)} from where it began, at worst {min(ended):+.4f}"


def _mean(values: Iterable[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "none"
    return f"{np.mean(known):.3f} ± {np.std(known, ddof=1):.3f}" if len(known) > 1 else f"{known[0]:.3f}"


def _less(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other


def _drawn(pages: Integers, rng: np.random.Generator) -> Integers:
    every = np.unique(pages)
    return every[rng.random(len(every)) < SET_APART]


def _equal(vectors: npt.NDArray[np.float16]) -> Integers:
    return np.unique(vectors, axis=0, return_inverse=True)[1].astype(np.int64).ravel()


def main() -> None:
    """Print a table for each scorer."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", metavar="FILE.npz")
    parser.add_argument("--synthetic", action="store_true")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--runs", type=int, default=5, help="seeds of the stage's own rounds")
    parser.add_argument("--noise", type=float, default=0.3)
    parser.add_argument("--pages", type=int, default=1200, help="pages of three pairs that --synthetic plants")
    arguments = parser.parse_args()
    scorers = [Embedded.read(path) for path in arguments.files]
    if arguments.synthetic:
        scorers += [Embedded.planted(name, arguments.pages, blur) for name, blur in (("weak", 1.0), ("strong", 0.4))]
    for embedded in scorers:
        seeds = tqdm(range(arguments.seeds), embedded.name, disable=None)
        found = [measure(embedded, seed, arguments.noise, arguments.runs) for seed in seeds]
        print("\n".join(report(embedded, found)), flush=True)


if __name__ == "__main__":
    main()
