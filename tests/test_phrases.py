"""Phrases found in texts: concepts of a list and n-grams of evaluation sets, as whole words and inside one text."""

import pytest

from filters.phrases import concepts_of, ngrams_of
from filters.word_hashes import words_of

LIST = [
    "lighthouse",
    "light house",
    "Red Squirrel",
    "red",
    "",
    "lighthouse",
    "---",
    "山の",
    "the red squirrel of the north",
]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A lighthouse.", [0]),
        ("A Light-House!", [1]),
        ("The lighthouses of Brittany", []),
        ("a red squirrel", [2, 3]),
        ("the squirrel, red", [3]),
        ("THE RED SQUIRREL OF THE NORTH", [2, 3, 8]),
        ("高い山の上", [7]),
        ("red red red", [3]),
        ("", []),
    ],
)
def test_concepts_are_found_as_whole_words_each_once(text: str, found: list[int]) -> None:
    assert concepts_of(LIST).found_in(words_of([text])) == [found]


def test_a_phrase_is_not_found_over_the_border_of_two_texts() -> None:
    texts = words_of(["something red", "squirrel of the north", "the red squirrel"])
    assert concepts_of(LIST).found_in(texts) == [[3], [], [2, 3]]


def test_a_list_without_words_finds_nothing() -> None:
    assert concepts_of([]).found_in(words_of(["a", "b c"])) == [[], []]
    assert concepts_of(["", "!"]).found_in(words_of(["a", ""])) == [[], []]
    assert concepts_of(LIST).found_in(words_of([])) == []


def test_thirteen_words_in_a_row_are_found_and_twelve_are_not() -> None:
    question = "in what year did the first keeper of the old lighthouse leave the island for ever"
    listed = ngrams_of([question, "too short to count"], 13)
    words = question.split()
    texts = [
        f"He asked {' '.join(words[2:15]).upper()}, and went.",
        f"He asked {' '.join(words[2:14])} and went.",
        f"{' '.join(words[2:9])} indeed {' '.join(words[9:15])}",
        "too short to count",
        "",
    ]
    assert listed.found_in(words_of(texts)).tolist() == [True, False, False, False, False]
    assert len(listed.hashes) == len(words) - 12


def test_ngrams_of_a_set_do_not_go_over_the_border_of_its_texts() -> None:
    assert ngrams_of(["a b c", "d e f"], 4).found_in(words_of(["a b c d e f"])).tolist() == [False]
    assert ngrams_of([], 3).found_in(words_of(["a b c"])).tolist() == [False]
