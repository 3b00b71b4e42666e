"""Images placed before the sentences that they fit best, as MMC4 does."""

from collections.abc import Sequence
from typing import Any

import pytest

from pipelines.pack.placement import matched, on_the_page
from schemas.recipe import Recipe

TEXTS = [
    "Boats lie in the harbour. The tide is out.",
    None,
    None,
    "A garden is behind the house.\nTrees stand in it.",
    None,
]


def a_document(texts: Sequence[str | None] = TEXTS) -> dict[str, Any]:
    return {
        "language": "en",
        "texts": list(texts),
        "images": [None if text else f"image {n}" for n, text in enumerate(texts)],
    }


def placed(similarities: dict[int, list[float]], kept: Sequence[bool] = (True,) * 5) -> list[str]:
    return [
        node.text if node.text is not None else f"<{node.position}>"
        for node in matched(a_document(), kept, similarities)
    ]


def test_each_image_comes_before_its_sentence_and_texts_stay_in_order() -> None:
    assert placed({1: [0, 0, 0, 1], 2: [1, 0, 0, 0], 4: [0, 1, 0, 0]}) == [
        "<2>", "Boats lie in the harbour.", "<4>", "The tide is out.",
        "A garden is behind the house.", "<1>", "Trees stand in it.",
    ]  # fmt: skip


def test_the_sum_of_similarities_is_largest_not_each_of_them() -> None:
    # Alone both would take the first sentence; together 0.9 + 0.8 is more than 1.0 + 0.1.
    assert placed({1: [0.9, 0.1, 0, 0], 2: [1.0, 0.8, 0, 0]}, (True, True, True, False, False)) == [
        "<1>", "Boats lie in the harbour.", "<2>", "The tide is out.",
    ]  # fmt: skip


def test_more_images_than_sentences_share_the_best_one() -> None:
    kept = (True, True, True, False, True)
    found = placed({1: [0.9, 0.1, 1, 1], 2: [0.8, 0.1, 1, 1], 4: [0.7, 0.2, 1, 1]}, kept)
    assert [text for text in found if not text.startswith("<")] == ["Boats lie in the harbour.", "The tide is out."]
    assert sorted(text for text in found if text.startswith("<")) == ["<1>", "<2>", "<4>"]
    assert found[:2] == ["<1>", "<2>"], "the one without a sentence of its own is where it fits best, in page order"


def test_sentences_of_dropped_texts_take_no_image_and_what_was_not_compared_stays() -> None:
    assert placed({1: [1, 0, 0, 0.5]}, (False, True, True, True, True)) == [
        "<2>", "A garden is behind the house.", "<1>", "Trees stand in it.", "<4>",
    ]  # fmt: skip
    assert placed({1: [1, 0, 0, 0]}, (False, True, False, False, False)) == ["<1>"]


def test_nothing_is_lost_or_doubled_whatever_the_similarities() -> None:
    cases: tuple[dict[int, list[float]], ...] = (
        {},
        {1: [float("nan")] * 4},
        {1: [0.5, 0.5]},
        {4: [0, 0, 0, 1], 1: [0, 0, 0, 1]},
    )
    for similarities in cases:
        found = placed(similarities)
        images = sorted(text for text in found if text.startswith("<"))
        words = " ".join(text for text in found if not text.startswith("<")).split()
        assert images == ["<1>", "<2>", "<4>"] and words == " ".join(text for text in TEXTS if text).split()


def test_on_the_page_is_the_page() -> None:
    found = [(node.position, node.text) for node in on_the_page(a_document(), (True, True, False, True, False))]
    assert found == [(0, TEXTS[0]), (1, None), (3, TEXTS[3])]


def test_it_needs_similarities() -> None:
    with pytest.raises(ValueError, match=r"placement matched compares with sentences: give score\.model"):
        Recipe.model_validate({"pack": {"placement": "matched"}})
    with pytest.raises(ValueError, match=r"with sentence in score\.texts"):
        Recipe.model_validate({"score": {"model": "x", "texts": ["alt"]}, "pack": {"placement": "matched"}})
