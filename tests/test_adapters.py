"""Adapters begin as the identity, learn what a corpus shows, and are the same for the same pairs and seed."""

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from filters.adapter_training import Pairs, Schedule, loss_and_gradients, schedule_for, trained
from filters.adapters import Adapter, Tower, cosines
from filters.alignment_auc import auc
from filters.embeddings import unit
from filters.one_thread import one_thread
from tests.planted_pairs import plant

SHORT = Schedule(steps=40, batch=64)


def vectors(count: int, width: int = 48, seed: int = 0) -> Any:
    return unit(np.random.default_rng(seed).standard_normal((count, width)))


def pairs_of(images: Any, texts: Any, text_ids: Any = None) -> Pairs:
    numbers = np.arange(len(images))
    return Pairs(images, texts, numbers, numbers, numbers if text_ids is None else text_ids)


def an_adapter(width: int = 48, seed: int = 0) -> Adapter:
    rng = np.random.default_rng(seed)
    towers = [Tower.identity(vectors(1, width)[0], rng) for _ in range(2)]
    return Adapter(*(replace(t, up=rng.standard_normal(t.up.shape, np.float32) / np.float32(30)) for t in towers))


def everything(adapter: Adapter) -> str:
    return hashlib.sha256(b"".join(array.tobytes() for array in adapter.flat())).hexdigest()


def test_an_adapter_begins_as_the_identity() -> None:
    some = vectors(300)
    tower = Tower.identity(some.mean(0), np.random.default_rng(0))
    np.testing.assert_array_equal(tower(some), unit(some))


def test_what_becomes_of_an_embedding_does_not_depend_on_which_others_it_comes_with() -> None:
    some, adapter = vectors(391), an_adapter()
    whole = adapter.image(some)
    for begin, end in ((0, 1), (5, 133), (130, 391), (390, 391)):
        np.testing.assert_array_equal(adapter.image(some[begin:end]), whole[begin:end])
    np.testing.assert_array_equal(adapter.cosines(some, some[::-1])[7:9], adapter.cosines(some[7:9], some[::-1][7:9]))
    assert adapter.image(some[:0]).shape == (0, 48)


def test_embeddings_stay_at_unit_length() -> None:
    np.testing.assert_allclose(np.linalg.norm(an_adapter().text(vectors(200)), axis=1), 1, atol=1e-6)


def test_an_adapter_is_its_arrays_and_anything_else_is_refused() -> None:
    adapter = an_adapter()
    assert everything(Adapter.from_flat(adapter.flat())) == everything(adapter)
    assert {name: array.shape for name, array in adapter.named().items()} == {
        f"{kind}_{part}": shape
        for kind in ("image", "text")
        for part, shape in (("down", (48, 64)), ("bias", (64,)), ("up", (64, 48)))
    }
    with pytest.raises(ValueError, match="6 arrays, not 5"):
        Adapter.from_flat(adapter.flat()[1:])


def test_slopes_are_those_of_the_loss() -> None:
    adapter, pairs = an_adapter(), pairs_of(vectors(24, seed=1), vectors(24, seed=2), np.arange(24) // 2)
    arrays = [array for tower in (adapter.image, adapter.text) for array in (tower.down, tower.bias, tower.up)]
    _, slopes = loss_and_gradients(adapter, 2.5, pairs)
    for number, slope in enumerate(slopes[:-1]):
        step = 0.01 * slope / np.linalg.norm(slope)
        losses = []
        for times in (1, -2, 1):  # there, to the other side, and back
            arrays[number] += times * step
            losses.append(loss_and_gradients(adapter, 2.5, pairs)[0])
        # Within what it takes that some rectifiers bend on the way.
        assert losses[0] - losses[1] == pytest.approx(2 * float(np.sum(slope * step)), rel=0.03)
    above, below = (loss_and_gradients(adapter, 2.5 + step, pairs)[0] for step in (0.01, -0.01))
    assert above - below == pytest.approx(0.02 * float(slopes[-1][0]), rel=0.02)


def test_equal_texts_of_a_batch_are_no_negatives_of_each_other() -> None:
    text = np.repeat(vectors(1, seed=5), 20, axis=0)
    loss, slopes = loss_and_gradients(an_adapter(), 3.0, pairs_of(vectors(20), text, np.zeros(20, np.int64)))
    assert loss == pytest.approx(0, abs=1e-6)
    assert all(not slope.any() for slope in slopes)


def test_training_tells_held_out_pairs_from_shuffled_ones_better_than_the_embeddings_do() -> None:
    corpus, rng = plant(pages=500, blur=0.8, noise=0), np.random.default_rng(1)
    pairs, held_out = pairs_of(corpus.images, corpus.texts), np.arange(1200, 1500)
    with one_thread():
        adapter = trained(pairs, np.arange(1200), schedule_for(1200, passes=30), seed=0)
    images, texts = corpus.images[held_out], corpus.texts[held_out]
    other = np.roll(rng.permutation(300), 1)
    before = auc(cosines(images, texts), cosines(images, texts[other]))
    after = auc(adapter.cosines(images, texts), adapter.cosines(images, texts[other]))
    assert before is not None
    assert after is not None
    assert after > before + 0.02


def test_the_same_pairs_and_seed_give_the_same_adapter_and_another_seed_another_one() -> None:
    corpus = plant(pages=100, blur=1, noise=0.3)
    pairs, rows = pairs_of(corpus.images, corpus.texts), np.arange(250)
    first, again, other = (everything(trained(pairs, rows, SHORT, seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


_TRAINS = """
import numpy as np
from filters.one_thread import one_thread
from tests.test_adapters import SHORT, everything, pairs_of, plant, trained
corpus = plant(pages=200, blur=1, noise=0.3, width=192)
with one_thread():
    print(everything(trained(pairs_of(corpus.images, corpus.texts), np.arange(600), SHORT, 1)))
"""


def test_cores_make_no_difference() -> None:
    found = set()
    for threads in ("1", "3"):
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": threads}
        done = subprocess.run([sys.executable, "-c", _TRAINS], env=environment, capture_output=True, check=True)
        found.add(done.stdout)
    assert len(found) == 1


def test_linear_algebra_gets_its_threads_back() -> None:
    from filters import one_thread as module

    before = [asks() for asks, _ in module._libraries()]
    with one_thread():
        assert {asks() for asks, _ in module._libraries()} <= {1}
    assert [asks() for asks, _ in module._libraries()] == before


def test_a_schedule_fits_the_pairs() -> None:
    assert schedule_for(100, passes=30) == Schedule(steps=120, batch=25)
    assert schedule_for(8, passes=3) == Schedule(steps=12, batch=2)
    assert schedule_for(25_000, passes=10) == Schedule(steps=488, batch=512)
    assert schedule_for(25_000, passes=30) == Schedule(steps=600, batch=512)
