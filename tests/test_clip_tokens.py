"""Tokens as the model's tokenizer gives them, whichever way they come about."""

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from filters.clip_tokens import TextTokens
from filters.extras import missing_packages

pytestmark = pytest.mark.skipif(bool(missing_packages("score")), reason="without the extra score")


def tokenizers() -> tuple[Any, TextTokens]:
    from open_clip.tokenizer import SimpleTokenizer

    return SimpleTokenizer(context_length=12), TextTokens(SimpleTokenizer(context_length=12))


@pytest.fixture(scope="module")
def both() -> tuple[Any, TextTokens]:
    return tokenizers()


@given(st.text(max_size=60) | st.text(st.characters(max_codepoint=127), max_size=60))
@example("")
@example("  two\n lines\tand a tab ")
@example("AT&amp;T and R&B &lt;b&gt;")
@example("a\x1b[31mred\x1b[0m word, a \x07bell, \x85 and \x00")
@example("it's THEY'LL don't 2026 ... --- ''' <start_of_text>")
@example("Ã©tÃ© – schÃ¶n “quoted” ﬁne ｆｕｌｌ")
@example("one two three four five six seven eight nine ten eleven twelve thirteen")
def test_they_are_the_tokenizers_own(both: tuple[Any, TextTokens], text: str) -> None:
    plain, tokens = both
    np.testing.assert_array_equal(tokens.rows([text, "x"]), plain([text, "x"]).numpy())
    assert tokens.count(text) == len(plain.encode(text))


def test_a_text_is_cut_once(monkeypatch: pytest.MonkeyPatch) -> None:
    _, tokens = tokenizers()
    asked: list[str] = []
    encode = tokens._tokenizer.encode

    def watched(text: str) -> Any:
        asked.append(text)
        return encode(text)

    monkeypatch.setattr(tokens._tokenizer, "encode", watched)
    tokens.count("a harbour at low tide")
    tokens.rows(["a harbour at low tide", "boats"])
    tokens.rows(["a harbour at low tide"])
    assert asked == ["a harbour at low tide", "boats"]


def test_another_tokenizer_is_asked_itself() -> None:
    class Other:
        context_length = 4

        def __call__(self, texts: list[str]) -> Any:
            return np.array([[7, len(text), 8, 0] for text in texts])

        def clean_fn(self, text: str) -> str:
            return text.lower()

        def tokenizer(self, text: str, add_special_tokens: bool) -> Any:
            assert not add_special_tokens
            return type("Encoded", (), {"input_ids": text.split()})

    tokens = TextTokens(Other())
    np.testing.assert_array_equal(tokens.rows(["ab", "c"]), [[7, 2, 8, 0], [7, 1, 8, 0]])
    assert tokens.count("A b C") == 3


def test_a_tokenizer_that_masks_what_is_too_long_is_asked_itself_too() -> None:
    from open_clip.tokenizer import SimpleTokenizer

    masking = SimpleTokenizer(context_length=6, reduction_mask="simple")
    tokens = TextTokens(masking)
    assert tokens.count("one two three four five six seven") == 7
    assert tokens.rows(["one two three four five six seven", "one"]).shape == (2, 6)
