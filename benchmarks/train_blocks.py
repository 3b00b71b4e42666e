"""Train the two models that choose the content of pages: the kind of a page, and the blocks that belong to its content.

    uv run --with catboost python benchmarks/train_blocks.py ../shared/corpora/extraction/wcxb

Data: the development split of WCXB (Web Content Extraction Benchmark, Murrough Foley, CC BY 4.0), 1,497 pages of seven
kinds with their main content, as `ground-truth.jsonl.gz` (id, url, page_type, main_content) and `html/ID.html.gz`.
First the figures of a nested cross-validation by domain are printed, with the words F1 of WCXB's own evaluation;
then both models are trained on all pages and written to `pipelines/extract/data`.
"""

import argparse
import gzip
import json
import re
import tempfile
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt
from catboost import CatBoostClassifier, Pool
from tqdm import tqdm

from pipelines.extract.blocks import Blocks, Context, find_blocks
from pipelines.extract.columns import columns_of
from pipelines.extract.content import KINDS, Traits, decide, page_vectors
from pipelines.extract.encoding import to_utf8
from pipelines.extract.features import features
from pipelines.extract.head import Head
from pipelines.extract.page import Source, read_page
from pipelines.frame.http_message import HttpHead
from schemas.recipe import ExtractSettings
from schemas.statuses import RecordOutcome

DATA = Path(__file__).parent.parent / "pipelines" / "extract" / "data"
FOLDS = 5
# Chosen by cross-validation; between 150 and 300 trees, and between seeds, F1 moves by 0.002.
TREES, DEPTH, RATE, BORDERS = 200, 6, 0.1, 64
PAGE_TREES, PAGE_DEPTH, PAGE_BORDERS = 100, 4, 32
# Blocks of one page that are trained on, on average; those of longer pages are sampled and weighted up.
BLOCKS_OF_A_PAGE = 250
SEED = 0

Floats = npt.NDArray[np.float64]
_WORD = re.compile(r"\w+")


@dataclass
class Example:
    """A labelled page: its features, and for each block the share of its words that the gold text holds."""

    name: str
    domain: str
    kind: int
    gold: str
    blocks: Blocks
    near: Context
    head: Head
    names: list[str]
    matrix: npt.NDArray[np.float32]
    labels: Floats


def main() -> None:
    """Cross-validate, train, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wcxb", type=Path, help="folder with ground-truth.jsonl.gz and html/")
    parser.add_argument("--no-cv", action="store_true", help="only train and write")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--output", type=Path, default=DATA, help="folder for the weights (default: the package's own)")
    arguments = parser.parse_args()
    examples = read_examples(arguments.wcxb)
    if not arguments.no_cv:
        cross_validate(examples, arguments.seed)
    pages, blocks = train(examples, folds_of(examples), arguments.seed)
    vector_names = names_of_vectors(examples[0].names)
    block_names = [*examples[0].names, *(f"kind_{kind}" for kind in KINDS)]
    write(pages, vector_names, arguments.output / "pages.npz")
    write(blocks, block_names, arguments.output / "blocks.npz")


def read_examples(folder: Path) -> list[Example]:
    """All pages with any text."""
    caps, examples = ExtractSettings(), []
    with gzip.open(folder / "ground-truth.jsonl.gz", "rt", encoding="utf-8") as lines:
        truths = [json.loads(line) for line in lines]
    for truth in tqdm(truths, desc="pages", unit="page"):
        text, _ = to_utf8(gzip.decompress((folder / "html" / f"{truth['id']}.html.gz").read_bytes()), "")
        read = read_page(Source(text, "http://example.org/", HttpHead(200, {})), caps)
        if isinstance(read, RecordOutcome):
            continue
        columns = columns_of([read.cleaned.markup])
        blocks = find_blocks(columns)
        names, matrix, near = features(columns, blocks, [read.head])
        labels = label(blocks.texts, truth["main_content"])
        kind = KINDS.index(truth["page_type"])
        domain = _domain(truth["url"]) or truth["id"]
        examples.append(
            Example(truth["id"], domain, kind, truth["main_content"], blocks, near, read.head, names, matrix, labels)
        )
    return examples


def _domain(url: str) -> str:
    """Registered domain, near enough: two labels, three where the second is a short one such as co."""
    host = urlsplit(url).netloc.lower().split(":")[0].split(".")
    return ".".join(host[-3:] if len(host) > 2 and len(host[-2]) <= 3 else host[-2:])


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


def folds_of(examples: Sequence[Example]) -> npt.NDArray[np.int64]:
    """A fold for each page, the same for all pages of a domain."""
    domains = sorted({example.domain for example in examples})
    order = np.random.default_rng(SEED).permutation(len(domains))
    fold = {domains[place]: i % FOLDS for i, place in enumerate(order)}
    return np.array([fold[example.domain] for example in examples])


def names_of_vectors(names: Sequence[str]) -> list[str]:
    """Names of the features of a page, see `page_vectors`."""
    return [f"{kind}_{name}" for kind in ("text", "mean") for name in names]


def vectors_of(examples: Sequence[Example]) -> Floats:
    """Features of pages, of shape (pages, features)."""
    wanted = names_of_vectors(examples[0].names)
    return np.concatenate([page_vectors(wanted, e.names, e.matrix, e.blocks) for e in examples], axis=1).T


def train(examples: Sequence[Example], folds: npt.NDArray[np.int64], seed: int) -> tuple[Any, Any]:
    """The model of pages, and that of blocks, which sees the kinds as they are for unseen pages: predicted by folds."""
    filled = [i for i, example in enumerate(examples) if len(example.blocks)]
    examples, folds = [examples[i] for i in filled], folds[filled]
    vectors, kinds = vectors_of(examples), np.array([example.kind for example in examples])
    predicted = np.zeros((len(examples), len(KINDS)))
    for fold in np.unique(folds):
        model = _fit_pages(vectors[folds != fold], kinds[folds != fold], seed)
        predicted[folds == fold] = model.predict_proba(vectors[folds == fold])
    chance = np.random.default_rng(seed + 5)
    rows, labels, weights = [], [], []
    for example, kind in zip(examples, predicted, strict=True):
        count = len(example.blocks)
        share = min(1.0, BLOCKS_OF_A_PAGE / count)
        taken = chance.random(count) < share
        weight = np.sqrt(example.blocks.counts.words + 1.0)
        rows.append(known(example, kind)[taken])
        labels.append(example.labels[taken])
        weights.append((weight / weight.sum() / share)[taken])
    blocks = CatBoostClassifier(
        loss_function="CrossEntropy", iterations=TREES, depth=DEPTH, learning_rate=RATE, border_count=BORDERS,
        grow_policy="SymmetricTree", bootstrap_type="Bernoulli", subsample=0.7, rsm=0.3, random_seed=seed, verbose=0,
        allow_writing_files=False,
    )  # fmt: skip
    weight = np.concatenate(weights)
    blocks.fit(Pool(np.concatenate(rows), np.concatenate(labels), weight=weight / weight.mean()))
    return _fit_pages(vectors, kinds, seed), blocks


def _fit_pages(vectors: Floats, kinds: npt.NDArray[np.int64], seed: int) -> Any:
    model = CatBoostClassifier(
        loss_function="MultiClass", iterations=PAGE_TREES, depth=PAGE_DEPTH, learning_rate=RATE, verbose=0,
        border_count=PAGE_BORDERS, bootstrap_type="Bernoulli", subsample=0.7, rsm=0.3, random_seed=seed,
        allow_writing_files=False,
    )  # fmt: skip
    return model.fit(vectors, kinds)


def known(example: Example, kinds: Floats) -> npt.NDArray[np.float32]:
    """What the model of blocks sees, of shape (blocks, features)."""
    repeated = np.repeat(kinds[None].astype(np.float32), len(example.blocks), axis=0)
    return np.concatenate((example.matrix.T, repeated), axis=1)


def cross_validate(examples: Sequence[Example], seed: int) -> None:
    """Print the words F1 by kind of page, each page judged by models that saw no page of its domain."""
    folds = folds_of(examples)
    scores: dict[str, list[float]] = defaultdict(list)
    right = 0
    for fold in tqdm(range(FOLDS), desc="folds"):
        others = [e for e, f in zip(examples, folds, strict=True) if f != fold]
        pages, blocks = train(others, folds[folds != fold], seed)
        for example in (e for e, f in zip(examples, folds, strict=True) if f == fold):
            text = ""
            if len(example.blocks):
                kinds = pages.predict_proba(vectors_of([example]))[0]
                right += int(np.argmax(kinds)) == example.kind
                text = chosen(example, kinds, blocks)
            scores[KINDS[example.kind]].append(word_f1(text, example.gold))
    every = [score for some in scores.values() for score in some]
    print(f"cross-validated by domain, {len(every)} pages, kind right for {right / len(every):.3f}")
    for kind, some in (("all", every), *sorted(scores.items())):
        print(f"  {kind:14s} {len(some):5d}  {np.mean(some):.3f}")


def chosen(example: Example, kinds: Floats, model: Any) -> str:
    """The text that is kept of a page."""
    odds = model.predict(known(example, kinds), prediction_type="RawFormulaVal")
    kept = np.zeros(len(example.blocks), np.bool_)
    traits = Traits.of(example.names, example.matrix)
    decide(odds, kinds[None], example.blocks, example.near, [example.head], traits, kept)
    return "\n\n".join(text for text, keep in zip(example.blocks.texts, kept, strict=True) if keep)


def word_f1(text: str, gold: str) -> float:
    """F1 of the bags of words; 1 where both are empty, 0 where one is."""
    found, wanted = Counter(_WORD.findall(text.lower())), Counter(_WORD.findall(gold.lower()))
    if not found or not wanted:
        return float(not found and not wanted)
    return 2 * (found & wanted).total() / (found.total() + wanted.total())


def write(model: Any, names: Sequence[str], path: Path) -> None:
    """Write a model as the arrays that `pipelines.extract.trees` reads, with those features only that it asks for."""
    with tempfile.TemporaryDirectory() as folder:
        model.save_model(f"{folder}/model.json", format="json")
        stored = json.loads(Path(folder, "model.json").read_text())
    numbers = [feature["flat_feature_index"] for feature in stored["features_info"]["float_features"]]
    trees = stored["oblivious_trees"]
    used = sorted({numbers[split["float_feature_index"]] for tree in trees for split in tree["splits"]})
    row = {number: i for i, number in enumerate(used)}
    depth = max(len(tree["splits"]) for tree in trees)
    scale, bias = stored["scale_and_bias"]
    bias = np.atleast_1d(np.array(bias, np.float64))
    asked = np.zeros((len(trees), depth), np.int16)
    borders = np.full((len(trees), depth), np.inf, np.float32)
    leaves = np.zeros((len(trees), 2**depth, len(bias)), np.float32)
    for i, tree in enumerate(trees):
        for level, split in enumerate(tree["splits"]):
            asked[i, level] = row[numbers[split["float_feature_index"]]]
            borders[i, level] = split["border"]
        values = np.array(tree["leaf_values"], np.float64).reshape(-1, len(bias))
        leaves[i, : len(values)] = values * scale
    np.savez_compressed(
        path, names=np.array(" ".join(names[number] for number in used)), asked=asked, borders=borders, leaves=leaves,
        bias=bias,
    )  # fmt: skip
    print(f"{path.name}: {len(trees)} trees, {len(used)} features, {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
