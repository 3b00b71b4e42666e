"""Words and n-grams as numbers: what makes a difference and what does not, against sets of plain strings."""

import itertools
import random
import re
import unicodedata
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filters.word_hashes import Words, words_of
from tests.corpora import corpora

TEXTS = ["The quick brown fox", "jumps over", "", "the lazy dog, then sleeps", "—", "a"]


def words(text: str) -> list[int]:
    return [int(h) for h in words_of([text]).hashes]


def of_each(found: Words) -> list[list[int]]:
    """Hashes of each text."""
    return [
        found.hashes[start : start + count].tolist() for start, count in zip(found.starts, found.counts, strict=True)
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("The Harbour MUSEUM", "the harbour museum"),
        ("ÉCOLE Straße ΑΘΗΝΑ", "école straße αθηνα"),
        ("Well, then: go (now)!", "well then go now"),
        ("ΑΘΗΝΑΣ ΟΔΟΣ", "αθηνας οδος"),
        ("İSTANBUL", "i\u0307stanbul"),
        ("two\n\n lines\tand\u00a0spaces", "two lines and spaces"),
        ("ＦＵＬＬ ｗｉｄｔｈ １２３", "full width 123"),
        ("ｶﾞｰﾃﾞﾝ", "ガーデン"),
        ("cafe\u0301", "caf\u00e9"),
        ("ﬁne ﬂow", "fine flow"),
        ("山の手帖。紙", "山 の 手 帖 紙"),
        ("東京2024年", "東京 2024 年"),
    ],
)
def test_case_punctuation_spacing_and_width_forms_make_no_difference(one: str, other: str) -> None:
    assert words(one) == words(other)
    assert len(words(one)) > 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ab c", "a bc"),
        ("one two", "two one"),
        ("x1", "x2"),
        ("schon", "schön"),
        ("a", "aa"),
        ("かみ", "かき"),
        ("กา", "กี"),
    ],
)
def test_other_words_are_other_numbers(one: str, other: str) -> None:
    assert words(one) != words(other)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("山の手帖", 4),
        ("ไทย", 3),
        ("Tokyo 東京 tower", 4),
        ("abc日本def", 4),
        ("3.5 mm", 3),
        ("", 0),
        (" \n—!", 0),
        ("🙂 ok", 1),
    ],
)
def test_letters_of_scripts_without_spaces_are_words(text: str, count: int) -> None:
    assert len(words(text)) == count


def test_no_two_words_of_a_large_vocabulary_have_one_number() -> None:
    vocabulary = ["".join(letters) for letters in itertools.product("abcdefghij", repeat=5)]
    assert len(np.unique(words_of(vocabulary).hashes)) == len(vocabulary)


def test_a_word_longer_than_the_table_of_powers_is_one_word() -> None:
    long = "".join(random.Random(0).choices("abcdef", k=1000))
    assert len(words(long)) == 1
    assert words(long) != words(long[:-1])


def test_a_texts_words_are_the_same_wherever_it_stands() -> None:
    together = of_each(words_of(TEXTS))
    assert together == [words(text) for text in TEXTS]
    assert of_each(words_of(TEXTS[::-1])) == together[::-1]
    assert words_of([]).counts.tolist() == []


def test_the_whole_of_a_text_is_its_words_in_their_order() -> None:
    whole = words_of(["one two three", "One, two - THREE!", "three two one", "one two", "one two three three", "", "!"])
    digests = whole.whole().tolist()
    assert digests[0] == digests[1]
    assert len(set(digests[1:5])) == 4
    assert digests[5:] == [0, 0]


def test_texts_that_are_joined_are_as_one_text_and_others_are_not() -> None:
    sizes = np.array([3, 0, 2, 1], np.int64)
    joined = words_of(TEXTS).joined(sizes)
    whole_texts = ["The quick brown fox jumps over", "", "the lazy dog then sleeps", "a"]
    assert of_each(joined) == of_each(words_of(whole_texts))
    assert joined.whole().tolist() == words_of(whole_texts).whole().tolist()
    apart, together = words_of(TEXTS[:2]).ngrams(2), joined.ngrams(2)
    assert apart.counts.tolist() == [3, 1]
    assert together.counts.tolist() == [5, 0, 4, 0]
    assert set(apart.hashes.tolist()) < set(together.hashes.tolist())


def test_ngrams_know_their_words_and_order_and_no_border() -> None:
    grams = of_each(words_of(["a b c d", "b c", "c b", "x a b c", "a", ""]).ngrams(2))
    assert [len(some) for some in grams] == [3, 1, 1, 3, 0, 0]
    assert grams[1] == [grams[0][1]] == [grams[3][2]]
    assert grams[2] != grams[1]
    assert grams[3][1:] == grams[0][:2]


def test_a_short_text_is_one_ngram_itself_if_asked_for() -> None:
    texts = words_of(["a b c", "a b", "b a", "", "a b c d e", "a b"])
    grams = of_each(texts.ngrams(3, short=True))
    assert [len(some) for some in grams] == [1, 1, 1, 0, 3, 1]
    assert grams[1] == grams[5]
    assert len({*grams[0], *grams[1], *grams[2]}) == 3
    assert of_each(texts.ngrams(3)) == [grams[0], [], [], [], grams[4], []]


def plain_words(text: str) -> list[str]:
    """The same words by regular expressions over strings, knowing nothing of arrays."""
    folded = unicodedata.normalize("NFKC", text).lower()
    unspaced = (
        r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"
    )
    found, word = [], ""
    for character in folded:
        category = unicodedata.category(character)
        if category[0] in "LM" and re.match(unspaced, character):
            found += [word, character]
            word = ""
        elif category[0] in "LM" or category == "Nd":
            word += character
        else:
            found.append(word)
            word = ""
    return [some for some in [*found, word] if some]


def plain_jaccard(one: str, other: str, n: int) -> float:
    sets = [
        {tuple(some[i : i + n]) for i in range(len(some) - n + 1)} or ({tuple(some)} if some else set())
        for some in (plain_words(one), plain_words(other))
    ]
    return len(sets[0] & sets[1]) / max(len(sets[0] | sets[1]), 1)


def jaccard(one: str, other: str, n: int) -> float:
    sets = [set(words_of([text]).ngrams(n, short=True).hashes.tolist()) for text in (one, other)]
    return len(sets[0] & sets[1]) / max(len(sets[0] | sets[1]), 1)


@given(
    st.text(st.characters(max_codepoint=0x1FFFF, exclude_categories=["Cs"])),
    st.text(st.characters(max_codepoint=0x1FFFF, exclude_categories=["Cs"])),
    st.integers(1, 3),
)
def test_any_two_texts_are_as_similar_as_their_sets_of_ngrams_say(one: str, other: str, n: int) -> None:
    assert jaccard(one, other, n) == plain_jaccard(one, other, n)


def real_texts(count: int) -> Sequence[str]:
    """Main contents of real pages."""
    import gzip
    import json

    path = corpora() / "extraction" / "wcxb" / "ground-truth.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = itertools.islice((json.loads(line) for line in file), count)
        return [row["main_content"] or "" for row in rows]


def test_real_pages_are_as_similar_as_their_sets_of_ngrams_say() -> None:
    texts = real_texts(60)
    rng, compared = random.Random(0), 0
    for text in texts:
        parts = text.split(". ")
        edited = ". ".join(part.upper() if rng.random() < 0.5 else part for part in parts if rng.random() < 0.9)
        for other in (edited, rng.choice(texts)):
            assert jaccard(text, other, 5) == plain_jaccard(text, other, 5)
            compared += 0 < plain_jaccard(text, other, 5) < 1
    assert compared > 20
