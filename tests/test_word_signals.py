"""Signals of words, lines and repetition: values counted by hand, and against the plain loop of the benchmark."""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import msgpack
import numpy as np
import pytest
import wordfreq
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.sample.articles import read_articles
from filters import language, native
from filters.text_signals import measure, measure_documents
from filters.word_lists import GOPHER_STOP_WORDS, flagged_words_of, lists_of, spam_words_of, stop_words_of
from filters.words import hashes_of, hashes_of_packed

WALK = "We walked to the harbour, and the keeper of the light told us that the boats have to wait."


def _benchmark() -> ModuleType:
    path = Path(__file__).parent.parent / "benchmarks" / "signals.py"
    spec = importlib.util.spec_from_file_location("benchmark_signals", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _node(text: str, code: str | None = "en") -> dict[str, float | None]:
    return {name: values[0] for name, values in measure([text], [code]).values.items()}


def _document(*texts: str, code: str | None = "en") -> dict[str, float | None]:
    return {name: values[0] for name, values in measure_documents([texts], [code])[1].values.items()}


def test_a_batch_is_measured_as_a_plain_loop_measures_it() -> None:
    plain = _benchmark()
    articles = [[line for line in article.lines if line] for article in read_articles()]
    odd = [
        [""],
        ["…", "## 12", "a a a"],
        [WALK, WALK, f"{WALK} {WALK}"],
        ["Ｆｕｌｌ 富士山。", "x\n\n- y...\n•  z?"],
        ["\U0001f600 \U00020000"],
    ]
    documents = [*articles, *odd]
    codes = language.identify(["\n\n".join(texts) for texts in documents])[0]
    assert plain.differences(plain.ours(documents, codes), plain.plain(documents, codes)) == []


def test_words_of_each_list_are_counted() -> None:
    found = _node("Subscribe, share and follow: the porn website of the Xyzzyqux-Grubblefrotz well-known plug-in.")
    assert found["spam_words"] == 4  # subscribe, share, follow, website
    assert found["flagged_words"] == 1
    assert found["alphabetic_words"] == 12
    assert found["common_words"] == 11  # all but the invented name; well-known and plug-in by their parts
    assert found["stop_words"] == 4  # and, the, of, the


def test_numbers_are_neither_common_nor_uncommon() -> None:
    found = _node("In 1984 and 2001 4711 ships")
    assert (found["common_words"], found["alphabetic_words"], found["words"]) == (3, 3, 6)


def test_typographic_apostrophes_are_the_same_words() -> None:
    straight, curly = _node("it's what they don't know"), _node("it’s what they don’t know")
    for name in ("stop_words", "common_words"):
        assert straight[name] == curly[name]
    assert curly["common_words"] == 5


@pytest.mark.parametrize("code", ["xx", "ceb", "war", None])
def test_a_language_without_lists_has_no_value(code: str | None) -> None:
    found = _node(WALK, code)
    for name in ("stop_words", "common_words", "flagged_words", "spam_words"):
        assert found[name] is None
    assert found["words"] == 19
    assert _document(WALK, code=code)["gopher_stop_words"] is None


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("de", "Der Hund und die Katze sind nicht im Haus"), ("fr", "Le chien et le chat ne sont pas dans la maison"),
        ("no", "Hunden og katten er ikke i huset"), ("ru", "Собака и кошка не в доме"),
        ("tl", "Ang aso at ang pusa ay wala sa bahay"),
        ("hr", "Pas i mačka nisu u kući"),
    ],
)  # fmt: skip
def test_other_languages_have_lists_of_their_own(code: str, text: str) -> None:
    found = _node(text, code)
    assert found["stop_words"] and found["common_words"] == found["alphabetic_words"] == len(text.split())
    assert found["spam_words"] is None


def test_a_text_in_a_script_without_spaces_has_no_words_to_look_up() -> None:
    found = _node("富士山は高い。", "ja")
    assert found["stop_words"] is found["common_words"] is found["flagged_words"] is None


def test_stop_words_are_the_most_frequent_ones_where_a_list_is_long() -> None:
    english = stop_words_of("en")
    assert english and len(english) == 140
    assert {"the", "of", "and", "is", "don't"} <= english
    assert not {"able", "zero", "welcome"} & english


def test_flagged_words_are_single_words_of_an_installed_list() -> None:
    for code in ("en", "de", "es", "ja", "tr"):
        listed = flagged_words_of(code)
        assert listed and not any(" " in word or word != word.lower() for word in listed)
    assert flagged_words_of("is") is None


def test_lines_are_told_by_how_they_begin_and_end() -> None:
    found = _node("Contents:\n\n- first...\n • second…\nThe end.\n“Is it?”\nNo")
    assert [found[f"{kind}lines"] for kind in ("", "bullet_", "ellipsis_", "terminal_")] == [6, 2, 2, 2]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0), ("Heading", 1), ("One. Two! Three?", 3), ("Wait... what?!", 2), ("It is 3.5 km away.", 1),
        ("He said “Go.” She went.", 2), ("一つ。二つ！三つ", 3), ("See example.org for more", 1), ("— … —", 1),
    ],
)  # fmt: skip
def test_sentences_are_runs_of_stops_and_a_rest(text: str, count: int) -> None:
    assert _node(text)["sentences"] == count


def test_symbols_brackets_and_phrases_are_counted() -> None:
    found = _node(
        "#one #two… By signing up you accept our Privacy Policy; the site uses cookies. {JavaScript} Lorem ipsum"
    )
    counted = ("hash_marks", "ellipses", "curly_brackets", "policy_phrases", "javascript", "lorem_ipsum", "bylines")
    assert [found[name] for name in counted] == [2, 1, 2, 2, 1, 1, 0]
    assert _node("By Jane Doe")["bylines"] == 1
    assert (_node("12 Comments")["social_counters"], _node("comments are closed")["social_counters"]) == (1, 0)
    assert (_node("Sign in or read more")["navigation_phrases"]) == 2
    for text in ("javascriptjavascript", "j javascript", "javascrip", "javascriptJavaScript.", "😀 javascript é", ""):
        assert _node(text)["javascript"] == text.lower().count("javascript")


@pytest.mark.parametrize(
    ("text", "count"),
    [("March 3, 2021 at 12:30", 2), ("3 Mar 2021", 1), ("2021-03-03 and 03/03/2021", 2), ("in 2021, 300 of 20:1", 0)],
)
def test_dates_and_times(text: str, count: int) -> None:
    assert _node(text)["dates"] == count


def test_letters_by_case_and_digits() -> None:
    found = _node("ÄB c 12\n")
    assert [found[name] for name in ("uppercase_letters", "digits", "spaces", "characters")] == [2, 2, 3, 8]


def test_duplicate_lines_and_paragraphs_are_shares_of_number_and_length() -> None:
    found = _document("one\ntwo", "three", "three", "one")
    assert found["duplicate_paragraph_ratio"] == pytest.approx(1 / 4)
    assert found["duplicate_line_ratio"] == pytest.approx(2 / 5)
    length = len("one\ntwo\n\nthree\n\nthree\n\none")
    assert found["duplicate_paragraph_character_ratio"] == pytest.approx(5 / length)
    assert found["duplicate_line_character_ratio"] == pytest.approx(8 / length)


def test_ngrams_cross_texts_but_not_documents() -> None:
    both, _ = "red fish swims far away now", "red fish swims far away then"
    one = _document(both, _)
    assert one["duplicate_5gram_character_ratio"] == pytest.approx(len("redfishswimsfaraway") / len(f"{both}\n\n{_}"))
    assert one["duplicate_6gram_character_ratio"] == 0
    assert one["top_2gram_character_ratio"] == pytest.approx(2 * len("red fish") / len(f"{both}\n\n{_}"))
    apart = measure_documents([[both], [_]], ["en", "en"])[1]
    assert apart["top_2gram_character_ratio"].tolist() == [0, 0]


def test_gopher_stop_words_are_different_ones() -> None:
    assert _document("the the the of", "The and")["gopher_stop_words"] == 3


def test_documents_without_texts_and_texts_without_words_are_no_problem() -> None:
    nodes, documents = measure_documents([[], ["…"], [], [""]], ["en", None, None, "en"])
    assert nodes["words"].tolist() == [0, 0]
    assert documents["words"].tolist() == [0, 0, 0, 0]
    assert documents["duplicate_line_ratio"].tolist() == [0, 0, 0, 0]
    assert documents["gopher_stop_words"] == [0, None, None, 0]


_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}"
_PLAIN_DATE = re.compile(
    rf"\b(?:{_MONTH}\.? \d{{1,2}}, \d{{4}}|\d{{1,2}} {_MONTH} \d{{4}}|\d{{4}}-\d\d-\d\d|\d\d?/\d\d?/\d{{4}}|"
    r"[0-2]?\d:[0-5]\d(?::[0-5]\d)?)\b"
)
_DATED = st.sampled_from("Jan February Mayor Jul. 3 12 48 , 2024 1999-01-02 4/5/2020 : 7:05 59 0 é _ / - \n".split(" "))


@given(st.lists(st.tuples(_DATED, st.sampled_from(["", " ", ", "])), max_size=12))
@settings(max_examples=500, deadline=None)
def test_dates_are_counted_as_by_the_plain_expression(pieces: list[tuple[str, str]]) -> None:
    text = "2000 " + "".join(f"{piece}{joint}" for piece, joint in pieces)
    dates = measure([text], ["en"])["dates"].tolist()
    assert dates == [len(_PLAIN_DATE.findall(text)) if sum(map(str.isdecimal, text)) >= 3 else 0]


_SPELLED = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(st.recursive(_SPELLED | st.integers(-32, 127), lambda inner: st.lists(inner, max_size=20), max_leaves=40))
@settings(max_examples=200, deadline=None)
def test_words_in_msgpack_have_the_hashes_of_words(packed: object) -> None:
    def strings(value: object) -> list[str]:
        if isinstance(value, list):
            return [found for inner in value for found in strings(inner)]
        return [value] if isinstance(value, str) else []

    data = msgpack.packb([{"format": "cB", "of": {"maps": ["no", "words"]}}, packed, "ünd"])
    assert hashes_of_packed(data).tolist() == hashes_of([*strings(packed), "ünd"]).tolist()
    for end in range(0, len(data), 7):  # cut short, it is read as far as it goes
        assert set(hashes_of_packed(data[:end]).tolist()) <= set(hashes_of_packed(data).tolist())


@pytest.mark.parametrize("language", ["en", "de", "ru", "ja", "ko", "th", "xx"])
def test_lists_hold_each_word_once_with_all_that_list_it(language: str) -> None:
    lists = lists_of(language)
    words = hashes_of([*wordfreq.iter_wordlist(language)] if language in wordfreq.available_languages("best") else [])
    listed = [stop_words_of(language), None, flagged_words_of(language), spam_words_of(language)]
    expected: dict[int, int] = dict.fromkeys((words >> np.uint64(12)).tolist(), 2)
    for bit, some in enumerate(listed):
        for number in hashes_of([*(some or ())]).tolist():
            expected[number >> 12] = expected.get(number >> 12, 0) | 1 << bit
    for bit, word in enumerate(GOPHER_STOP_WORDS if language == "en" else ()):
        expected[int(hashes_of([word])[0]) >> 12] |= 16 << bit
    assert (np.diff(lists.entries >> np.uint64(12)) > 0).all()
    assert {entry >> 12: entry & 0xFFF for entry in lists.entries.tolist()} == expected
    uppermost = lists.entries >> np.uint64(64 - native.INDEX_BITS)
    assert lists.index.tolist() == np.searchsorted(uppermost, np.arange((1 << native.INDEX_BITS) + 1)).tolist()
