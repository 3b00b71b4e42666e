"""Train the two models that choose the content of pages: the kind of a page, and the blocks that belong to its content.

    uv run --with catboost python benchmarks/train_blocks.py ../shared/corpora/extraction

Data: four collections of labelled pages, as `extraction_cases` reads them, each in a folder of its name: the
development split of WCXB (Murrough Foley, CC BY 4.0), 1,497 pages of seven kinds; half of the test pages of Mozilla's
Readability (Apache 2.0) and of article-extraction-benchmark (Zyte, MIT), with the text of their articles; and pages of
trafilatura's evaluation (Apache 2.0), with snippets that belong to the content and others that don't.
First the figures of a nested cross-validation by site are printed, the whole extraction being done by models that have
seen no page of the site; then both models are trained on all pages and written to `pipelines/extract/data`.
"""

import argparse
import json
import re
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import numpy.typing as npt
from catboost import CatBoostClassifier, Pool
from extraction_cases import Case, cases_in
from extraction_peers import curate
from extraction_quality import Found, figures, find
from tqdm import tqdm

from pipelines.extract import content
from pipelines.extract.blocks import Blocks, find_blocks
from pipelines.extract.columns import Columns, columns_of
from pipelines.extract.content import KINDS, page_vectors
from pipelines.extract.encoding import to_utf8
from pipelines.extract.features import features
from pipelines.extract.names import FEATURES as NAME_FEATURES
from pipelines.extract.names import GROUPS, STEPS, Names, NameScores, Sums
from pipelines.extract.page import Source, read_page
from pipelines.frame.http_message import HttpHead
from schemas.recipe import ExtractSettings
from schemas.statuses import RecordOutcome

DATA = Path(__file__).parent.parent / "pipelines" / "extract" / "data"
FOLDS = 5
# Chosen by cross-validation; between 150 and 300 trees, and between seeds, F1 moves by 0.002. The mean of two models
# that differ in their seed is as much better than either; that of four is no better than that of two.
MEMBERS = 2
TREES, DEPTH, RATE, BORDERS = 300, 6, 0.1, 64
PAGE_TREES, PAGE_DEPTH, PAGE_BORDERS = 100, 4, 32
# Blocks of one page that are trained on, on average; those of longer pages are sampled and weighted up.
BLOCKS_OF_A_PAGE = 250
# How much a page of a collection weighs, see docs/extraction.md.
WEIGHTS = {"wcxb": 1.0, "readability": 2.0, "article-extraction-benchmark": 1.0, "trafilatura-eval": 2.0}
# Kinds of pages that are about one thing; the other collections have articles.
ONE = ["", "article", "documentation", "forum"]
# A name counts that so many sites use, as if it stood on so many more pages where it says nothing; on a page it says
# nothing if it is around so much of the text.
SITES_OF_A_NAME, PAGES_ON_TOP, _EVERYWHERE = 3, 4.0, 0.97
# A block that is a part of a snippet counts from so many characters on: shorter ones may stand there by chance.
_PART = 30
SEED = 0

Floats = npt.NDArray[np.float64]
_WORD = re.compile(r"\w+")


@dataclass
class Example:
    """A labelled page: its features, and for each block the share of its words that is content; NaN if not known."""

    case: Case
    columns: Columns
    blocks: Blocks
    features: list[str]
    matrix: npt.NDArray[np.float32]
    labels: Floats
    names: Names
    said: "Said"


@dataclass
class Said:
    """What a page says of the names on it: the share of content in the text below each, and in all of its text."""

    sums: Sums
    shares: Floats
    whole: float


ScoresOfNames = tuple[Sums, npt.NDArray[np.int8]]


def main() -> None:
    """Cross-validate, train, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=Path, help="folder with the four collections")
    parser.add_argument("--no-cv", action="store_true", help="only train and write")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--output", type=Path, default=DATA, help="folder for the weights (default: the package's own)")
    arguments = parser.parse_args()
    cases = cases_in(arguments.cases, None)
    examples = [example for case in tqdm(cases, desc="pages", unit="page") if (example := read_example(case))]
    fold_of = folds_of_sites(cases)
    folds = np.array([fold_of[example.case.site] for example in examples])
    if not arguments.no_cv:
        cross_validate(cases, examples, folds, arguments.seed)
    train(examples, folds, arguments.seed).write(arguments.output)


def read_example(case: Case) -> Example | None:
    """A page with its labels; None if it holds no text."""
    text, _ = to_utf8(case.response.body, "")
    read = read_page(Source(text, case.response.url, HttpHead(200, {})), ExtractSettings())
    if isinstance(read, RecordOutcome):
        return None
    columns = columns_of([read.cleaned.markup])
    blocks = find_blocks(columns)
    if not len(blocks):
        return None
    names, matrix, _ = features(columns, blocks, [read.head])
    snippets = case.wanted or case.unwanted
    labels = label_by_snippets(blocks.texts, case) if snippets else label(blocks.texts, case.text)
    found = Names.of(columns)
    return Example(case, columns, blocks, names, matrix, labels, found, said_of(found, blocks, labels))


def said_of(names: Names, blocks: Blocks, labels: Floats) -> Said:
    """Shares of content under each name of a page, weighted by the roots of the blocks' words."""
    known = ~np.isnan(labels)
    weight = np.sqrt(blocks.counts.words + 1.0) * known
    content_of = weight * np.nan_to_num(labels)
    sums, shares = [], []
    order = np.argsort(names.sums, kind="stable")
    for same in np.split(order, np.flatnonzero(np.diff(names.sums[order])) + 1) if len(order) else []:
        under = np.zeros(len(blocks), np.bool_)
        for element in names.element[same].tolist():
            under[blocks.low[element] : blocks.high[element]] = True
        inside = weight[under].sum()
        if 0 < inside <= _EVERYWHERE * weight.sum():
            sums.append(names.sums[same[0]])
            shares.append(content_of[under].sum() / inside)
    whole = float(content_of.sum() / max(weight.sum(), 1e-9))
    return Said(np.array(sums, np.uint32), np.array(shares), whole)


def score_names(examples: Sequence[Example]) -> ScoresOfNames:
    """Scores of names by groups of pages: checksums, and steps of shape (GROUPS, names)."""
    kinds = {"one": ONE, "many": [kind for kind in KINDS if kind not in ONE], "all": ["", *KINDS]}
    groups = [_score_names([e for e in examples if e.case.page_type in kinds[group]]) for group in GROUPS]
    every = np.unique(np.concatenate([sums for sums, _ in groups]))
    steps = np.zeros((len(GROUPS), len(every)), np.int8)
    for row, (sums, scores) in zip(steps, groups, strict=True):
        row[np.searchsorted(every, sums)] = scores
    return every, steps


def _score_names(examples: Sequence[Example]) -> ScoresOfNames:
    """How much the odds of content are moved by each name that enough sites use, in steps of its logarithm."""
    sums = np.concatenate([e.said.sums for e in examples])
    shares = np.concatenate([e.said.shares for e in examples])
    wholes = np.concatenate([np.full(len(e.said.sums), e.said.whole) for e in examples])
    sites = {site: i for i, site in enumerate(sorted({e.case.site for e in examples}))}
    site = np.concatenate([np.full(len(e.said.sums), sites[e.case.site]) for e in examples])
    every, which = np.unique(sums, return_inverse=True)
    number = np.bincount(which)
    usual = np.clip(np.bincount(which, wholes) / number, 0.05, 0.95)
    chance = (np.bincount(which, shares) + PAGES_ON_TOP * usual) / (number + PAGES_ON_TOP)
    chance = np.clip(chance, 0.01, 0.99)
    score = np.log(chance / (1 - chance)) - np.log(usual / (1 - usual))
    steps = np.clip(np.rint(score * STEPS), -127, 127).astype(np.int8)
    used_by = np.bincount(np.unique(np.stack((which, site)), axis=1)[0])
    kept = (used_by >= SITES_OF_A_NAME) & (steps != 0) & (every != 0)
    return every[kept], steps[kept]


def label_by_snippets(texts: Sequence[str], case: Case) -> Floats:
    """1 for blocks that hold a snippet of the content or are a part of it, 0 for those of other snippets, else NaN."""
    plain = [" ".join(text.split()) for text in texts]
    labels = np.full(len(texts), np.nan)
    for value, snippets in ((0.0, case.unwanted), (1.0, case.wanted)):
        for snippet in (" ".join(snippet.split()) for snippet in snippets):
            for i, text in enumerate(plain):
                if snippet in text or (len(text) > _PART and text in snippet):
                    labels[i] = value
    return labels


def label(texts: Sequence[str], gold: str) -> Floats:
    """Share of each block's words in the gold text, every stretch of gold given to one block only.

    Blocks with the longest match take first, so that a title or a teaser that repeats words of the article gets none.
    Blocks of one or two words count if they stand in the gold text with the words around them.
    """
    words = [_WORD.findall(text.lower()) for text in texts]
    truth = _WORD.findall(gold.lower())
    left = Counter(zip(truth, truth[1:], truth[2:], strict=False))
    known = set(left)
    trigrams = [list(zip(w, w[1:], w[2:], strict=False)) for w in words]
    shares = np.zeros(len(texts))
    for i in sorted(range(len(texts)), key=lambda i: (-sum(t in known for t in trigrams[i]), i)):
        hit = np.zeros(len(words[i]), np.bool_)
        for at, trigram in enumerate(trigrams[i]):
            if left[trigram] > 0:
                left[trigram] -= 1
                hit[at : at + 3] = True
        shares[i] = hit.mean() if len(hit) else 0.0
    flat = [word for some in words for word in some]
    begin = 0
    for i, some in enumerate(words):
        end = begin + len(some)
        if 0 < len(some) < 3:
            starts = range(max(0, end - 3), min(begin, len(flat) - 3) + 1)
            around = any(tuple(flat[s : s + 3]) in known for s in starts)
            shares[i] = float(around or (len(truth) < 3 and set(some) <= set(truth)))
        begin = end
    return shares


def folds_of_sites(cases: Sequence[Case]) -> dict[str, int]:
    """A fold for all pages of a site."""
    sites = sorted({case.site for case in cases})
    order = np.random.default_rng(SEED).permutation(len(sites))
    return {sites[place]: i % FOLDS for i, place in enumerate(order)}


def names_of_vectors(features: Sequence[str]) -> list[str]:
    """Names of the features of a page, see `page_vectors`."""
    return [f"{kind}_{name}" for kind in ("text", "mean") for name in features]


@dataclass
class Trained:
    """The three models, those of pages and blocks by their members, and the names of what a block is known by."""

    names: ScoresOfNames
    pages: list[Any]
    blocks: list[Any]
    features: list[str]

    def write(self, folder: Path) -> None:
        """Write what `content.read_models` reads."""
        sums, steps = self.names
        np.savez_compressed(folder / "names.npz", sums=sums, steps=steps)
        print(f"names.npz: {len(sums):,} names, {(folder / 'names.npz').stat().st_size / 1000:.0f} kB")
        _write(self.pages, names_of_vectors(self.features), folder / "pages.npz")
        _write(self.blocks, [*self.features, *(f"kind_{kind}" for kind in KINDS)], folder / "blocks.npz")


def train(examples: Sequence[Example], folds: npt.NDArray[np.int64], seed: int) -> Trained:
    """The models. Names are scored and kinds are predicted by folds, so that they say as much as on unseen pages."""
    known = [*examples[0].features, *NAME_FEATURES]
    matrices: list[npt.NDArray[np.float32]] = [np.zeros((0, 0), np.float32)] * len(examples)
    for fold in np.unique(folds):
        scores = NameScores.of(*score_names([e for e, f in zip(examples, folds, strict=True) if f != fold]))
        for i in np.flatnonzero(folds == fold).tolist():
            example = examples[i]
            named = scores.features(example.names, example.columns, example.blocks)
            matrices[i] = np.concatenate((example.matrix, named))
    vectors = vectors_of(known, matrices, examples)
    members = [_member(examples, matrices, vectors, folds, MEMBERS * seed + i) for i in range(MEMBERS)]
    return Trained(score_names(examples), [pages for pages, _ in members], [blocks for _, blocks in members], known)


def _member(
    examples: Sequence[Example], matrices: Sequence[npt.NDArray[np.float32]], vectors: npt.NDArray[np.float32],
    folds: npt.NDArray[np.int64], seed: int,
) -> tuple[Any, Any]:  # fmt: skip
    """A model of pages and one of blocks."""
    kinds = np.array([KINDS.index(e.case.page_type) if e.case.page_type else -1 for e in examples])
    labelled = kinds >= 0
    predicted = np.zeros((len(examples), len(KINDS)))
    for fold in np.unique(folds):
        others = labelled & (folds != fold)
        predicted[folds == fold] = _fit_pages(vectors[others], kinds[others], seed).predict_proba(
            vectors[folds == fold]
        )
    chance = np.random.default_rng(seed + 5)
    rows, labels, weights = [], [], []
    for example, matrix, kind in zip(examples, matrices, predicted, strict=True):
        judged = ~np.isnan(example.labels)
        share = min(1.0, BLOCKS_OF_A_PAGE / max(1, judged.sum()))
        taken = judged & (chance.random(len(judged)) < share)
        weight = np.sqrt(example.blocks.counts.words + 1.0) * judged
        repeated = np.repeat(kind[None].astype(np.float32), taken.sum(), axis=0)
        rows.append(np.concatenate((matrix.T[taken], repeated), axis=1))
        labels.append(example.labels[taken])
        weights.append(WEIGHTS[example.case.suite] * weight[taken] / max(1.0, weight.sum()) / share)
    blocks = CatBoostClassifier(
        loss_function="CrossEntropy", iterations=TREES, depth=DEPTH, learning_rate=RATE, border_count=BORDERS,
        grow_policy="SymmetricTree", bootstrap_type="Bernoulli", subsample=0.7, rsm=0.3, random_seed=seed, verbose=0,
        allow_writing_files=False,
    )  # fmt: skip
    weight = np.concatenate(weights)
    blocks.fit(Pool(np.concatenate(rows), np.concatenate(labels), weight=weight / weight.mean()))
    return _fit_pages(vectors[labelled], kinds[labelled], seed), blocks


def vectors_of(
    features: Sequence[str], matrices: Sequence[npt.NDArray[np.float32]], examples: Sequence[Example]
) -> npt.NDArray[np.float32]:
    """Features of pages, of shape (pages, features)."""
    wanted = names_of_vectors(features)
    vectors = [page_vectors(wanted, features, m, e.blocks) for m, e in zip(matrices, examples, strict=True)]
    return np.concatenate(vectors, axis=1).T


def _fit_pages(vectors: npt.NDArray[np.float32], kinds: npt.NDArray[np.int64], seed: int) -> Any:
    model = CatBoostClassifier(
        loss_function="MultiClass", iterations=PAGE_TREES, depth=PAGE_DEPTH, learning_rate=RATE, verbose=0,
        border_count=PAGE_BORDERS, bootstrap_type="Bernoulli", subsample=0.7, rsm=0.3, random_seed=seed,
        allow_writing_files=False,
    )  # fmt: skip
    return model.fit(vectors, kinds)


def cross_validate(cases: Sequence[Case], examples: Sequence[Example], folds: npt.NDArray[np.int64], seed: int) -> None:
    """Print how good extraction is, each page done by models that saw no page of its site."""
    fold_of = folds_of_sites(cases)
    extractor = curate()
    found: list[Found | None] = [None] * len(cases)
    for fold in tqdm(range(FOLDS), desc="folds"):
        others = [e for e, f in zip(examples, folds, strict=True) if f != fold]
        with tempfile.TemporaryDirectory() as folder:
            train(others, folds[folds != fold], seed).write(Path(folder))
            models = content.read_models(Path(folder))
        members = [i for i, case in enumerate(cases) if fold_of[case.site] == fold]
        with patch.object(content, "models", lambda models=models: models):
            for i, each in zip(members, find(extractor, [cases[i] for i in members])[0], strict=True):
                found[i] = each
    print("cross-validated by site:")
    for name, pages, figure in figures(cases, [each for each in found if each is not None]):
        print(f"  {name:40s} {pages:5d}  {figure:.4f}")


def _write(members: Sequence[Any], names: Sequence[str], path: Path) -> None:
    """Write the mean of models as the arrays that `pipelines.extract.trees` reads: their trees one after another.

    Only those features are written that they ask for.
    """
    trees, biases = [], []
    for member in members:
        with tempfile.TemporaryDirectory() as folder:
            member.save_model(f"{folder}/model.json", format="json")
            stored = json.loads(Path(folder, "model.json").read_text())
        numbers = [feature["flat_feature_index"] for feature in stored["features_info"]["float_features"]]
        scale, bias = stored["scale_and_bias"]
        biases.append(np.atleast_1d(np.array(bias, np.float64)))
        for tree in stored["oblivious_trees"]:
            splits = [(numbers[split["float_feature_index"]], split["border"]) for split in tree["splits"]]
            trees.append((splits, np.array(tree["leaf_values"], np.float64) * scale / len(members)))
    used = sorted({number for splits, _ in trees for number, _ in splits})
    row = {number: i for i, number in enumerate(used)}
    depth = max(len(splits) for splits, _ in trees)
    bias = np.mean(biases, axis=0)
    asked = np.zeros((len(trees), depth), np.int16)
    borders = np.full((len(trees), depth), np.inf, np.float32)
    leaves = np.zeros((len(trees), 2**depth, len(bias)), np.float32)
    for i, (splits, values) in enumerate(trees):
        for level, (number, border) in enumerate(splits):
            asked[i, level], borders[i, level] = row[number], border
        of_leaves = values.reshape(-1, len(bias))
        leaves[i, : len(of_leaves)] = of_leaves
    np.savez_compressed(
        path, names=np.array(" ".join(names[number] for number in used)), asked=asked, borders=borders, leaves=leaves,
        bias=bias,
    )  # fmt: skip
    print(f"{path.name}: {len(trees)} trees, {len(used)} features, {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
