"""Texts of blocks that are made when they are asked for."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipelines.extract.counters import Texts


@given(st.lists(st.text("ab:/é", max_size=8), max_size=8))
def test_texts_that_hold_something_are_found_where_a_look_at_each_finds_them(texts: list[str]) -> None:
    written = [text.encode() for text in texts]
    made = Texts(b"".join(written), np.cumsum([len(text) for text in written], dtype=np.int64))
    assert list(made) == texts
    assert made.holding(b"://") == [i for i, text in enumerate(texts) if "://" in text]


def test_what_lies_in_two_texts_is_in_neither() -> None:
    texts = Texts(b"ab:///c://d://", np.array([3, 3, 6, 14], np.int64))
    assert texts.holding(b"://") == [3]
    assert list(texts) == ["ab:", "", "///", "c://d://"]
