"""Text signals against their definitions, written out the slow way."""

import math
from collections import Counter

import numpy as np
import pytest

from filters import language
from filters.text_signals import measure
from filters.word_lists import stop_words_of

ENGLISH = (
    "The keeper of the lighthouse wrote down the weather every evening, and when the fog came in he rang the bell. "
    "Nobody in the harbour slept on such nights; they listened, counted the strokes and waited for the boats."
)


def _one(text: str, code: str | None = "en") -> dict[str, float]:
    signals = measure([text], [code])
    names = ("words", "characters", "special_characters", "punctuation_marks", "character_repetition_ratio",
             "word_repetition_ratio")  # fmt: skip
    return {name: float(signals[name][0]) for name in names}


def _character_repetition(text: str) -> float:
    counts = sorted(Counter(text[i : i + 10] for i in range(len(text) - 9)).values(), reverse=True)
    if not counts:
        return 0.0
    top = min(int(math.sqrt(len(counts))), sum(count > 1 for count in counts))
    return sum(counts[:top]) / sum(counts)


def _word_repetition(words: list[str]) -> float:
    counts = Counter(tuple(words[i : i + 5]) for i in range(len(words) - 4))
    return sum(count for count in counts.values() if count > 1) / max(sum(counts.values()), 1)


def test_white_space_digits_and_punctuation_all_count_as_special() -> None:
    assert _one("ab, c 12!")["special_characters"] == 6
    assert _one("ab, c 12!")["characters"] == 9


def test_letters_of_any_script_with_their_marks_are_not_special() -> None:
    assert _one("हिन्दी")["special_characters"] == 0
    assert _one("Łódź café naïve")["special_characters"] == 2


def test_a_token_without_letter_or_digit_is_no_word() -> None:
    assert _one("a - b -- 3 … c")["words"] == 4


def test_each_letter_of_a_script_without_spaces_is_a_word() -> None:
    assert _one("富士山は高い。", "ja")["words"] == 6
    assert _one("Mt. 富士 is high", "ja")["words"] == 5


def test_punctuation_marks_of_several_scripts() -> None:
    assert _one("a, b; c: d? e! f. (g)")["punctuation_marks"] == 6
    assert _one("はい。いいえ、でも！", "ja")["punctuation_marks"] == 3


@pytest.mark.parametrize(
    "text", [ENGLISH, ENGLISH * 3, "ha " * 50, "short", "", "abcdefghij", "x" * 300, "あいう" * 40]
)
def test_repetition_is_what_its_definition_says(text: str) -> None:
    assert _one(text)["character_repetition_ratio"] == pytest.approx(_character_repetition(text), abs=1e-6)


def test_word_repetition_is_what_its_definition_says() -> None:
    text = ENGLISH + " " + ENGLISH
    words = [word.strip(",.;") for word in text.lower().split()]
    assert _one(text)["word_repetition_ratio"] == pytest.approx(_word_repetition(words), abs=1e-6)
    assert _one(ENGLISH)["word_repetition_ratio"] == 0


def test_a_text_is_measured_the_same_alone_and_among_others() -> None:
    texts = [ENGLISH, "", "ha " * 30, "富士山は高い。", ENGLISH[:80], "1234567890 1234567890 1234567890"]
    together = measure(texts, ["en"] * len(texts))
    for index, text in enumerate(texts):
        for name, value in _one(text).items():
            assert float(together[name][index]) == pytest.approx(value), (name, text)


def test_stop_words_are_counted_in_the_documents_own_language() -> None:
    text = "und der Hund ist nicht da"
    german, unknown = measure([text, text], ["de", "xx"])["stop_words"]
    listed = stop_words_of("de")
    assert listed is not None
    assert german == sum(word in listed for word in text.lower().split())
    assert german is not None
    assert german >= 4
    assert unknown is None


def test_no_texts_at_all() -> None:
    assert measure([], [])["words"].tolist() == []
    assert np.asarray(measure([], [])["word_repetition_ratio"]).tolist() == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (ENGLISH, "en"),
        (
            "Der Leuchtturmwärter schrieb jeden Abend das Wetter auf, und wenn der Nebel kam, läutete er die Glocke.",
            "de",
        ),
        ("灯台守は毎晩天気を書き留め、霧が出ると鐘を鳴らした。港の人々は耳を澄ませて待っていた。", "ja"),
        ("Le gardien du phare notait le temps chaque soir, et quand la brume venait il sonnait la cloche.", "fr"),
    ],
)
def test_languages_are_told_apart(text: str, code: str) -> None:
    codes, scores = language.identify([text])
    assert codes == [code]
    assert scores[0] is not None
    assert scores[0] > 0.8


def test_a_text_without_letters_has_no_language() -> None:
    assert language.identify(["12 34 – 56", ""]) == ([None, None], [None, None])
