"""What an image is compared with: its own texts and the words around it, cut where sentences end."""

from typing import Any

from filters.candidate_texts import PageTexts, pieces
from filters.sentences import sentences
from schemas.recipe import ScoreSettings
from schemas.statuses import ClipText


def count(text: str) -> int:
    return len(text.split())


def a_page(*nodes: Any, **settings: Any) -> PageTexts:
    """Texts, or (alt, caption) of images."""
    document = {
        "language": "en",
        "texts": [node if isinstance(node, str) else None for node in nodes],
        "alts": [None if isinstance(node, str) else node[0] for node in nodes],
        "captions": [None if isinstance(node, str) else node[1] for node in nodes],
    }
    return PageTexts(document, ScoreSettings(model="any", **settings), 8, count)


def test_each_candidate_is_the_text_in_its_place() -> None:
    page = a_page("Before it. Nearer still.", ("An alt.", "A caption."), "Behind it.")
    assert page.candidates(1) == {
        ClipText.ALT: ["An alt."],
        ClipText.CAPTION: ["A caption."],
        ClipText.PRECEDING: ["Before it. Nearer still."],
        ClipText.FOLLOWING: ["Behind it."],
    }
    assert page.sentences == ["Before it.", "Nearer still.", "Behind it."]


def test_a_text_is_cut_at_sentence_ends_into_what_the_model_sees() -> None:
    assert pieces(["one two three", "four five", "six seven eight nine", "ten"], 8, count) == [
        "one two three four five", "six seven eight nine ten",
    ]  # fmt: skip
    long = " ".join(map(str, range(20)))
    assert pieces(["short", long, "short"], 8, count) == ["short", long, "short"]
    assert pieces([], 8, count) == []


def test_the_window_is_what_stands_next_to_the_image() -> None:
    page = a_page(
        "Far away. " * 30 + "Last words.", ("", None), "First words. " + "Far away. " * 30, window_characters=12
    )
    found = page.candidates(1)
    assert found[ClipText.PRECEDING] == ["Far away. Last words."]
    assert found[ClipText.FOLLOWING] == ["First words."]


def test_images_in_a_row_share_the_texts_around_the_row() -> None:
    page = a_page("Before.", ("one", None), ("two", None), "Behind.")
    first, second = page.candidates(1), page.candidates(2)
    assert first[ClipText.PRECEDING] == second[ClipText.PRECEDING] == ["Before."]
    assert first[ClipText.FOLLOWING] == second[ClipText.FOLLOWING] == ["Behind."]


def test_only_texts_that_the_recipe_names_are_looked_at() -> None:
    page = a_page("Before.", ("alt", "caption"), "Behind.", texts=("caption", "following"))
    assert page.candidates(1) == {ClipText.CAPTION: ["caption"], ClipText.FOLLOWING: ["Behind."]}
    assert page.sentences == []


def test_a_page_has_at_most_so_many_sentences() -> None:
    assert a_page("One. Two. Three.", max_sentences=2).sentences == ["One.", "Two."]


def test_what_says_nothing_is_no_candidate() -> None:
    page = a_page("* * *", (" — ", ""), "…")
    assert page.candidates(1) == {} and page.sentences == []


def test_a_word_of_a_million_letters_is_cut_before_it_is_tokenized() -> None:
    seen: list[int] = []

    def watched(text: str) -> int:
        seen.append(len(text))
        return count(text)

    document = {"language": "en", "texts": ["x" * 10**6, None], "alts": [None, "y" * 10**6], "captions": [None, None]}
    page = PageTexts(document, ScoreSettings(model="any"), 8, watched)
    assert {kind: len(found[0]) for kind, found in page.candidates(1).items()} == {
        ClipText.ALT: 1000, ClipText.PRECEDING: 1000,
    }  # fmt: skip
    assert max(seen) == 1000 and [len(text) for text in page.sentences] == [1000]


def test_sentences_are_cut_by_the_rules_of_their_language() -> None:
    texts = ["Dr. Smith sailed on Jan. 5. He returned!", None, "東京は首都です。人口は多い。"]
    assert [(s.node, s.text) for s in sentences(texts, "en")] == [
        (0, "Dr. Smith sailed on Jan. 5."), (0, "He returned!"), (2, "東京は首都です。"), (2, "人口は多い。"),
    ]  # fmt: skip
    assert [s.text for s in sentences(["Das gilt z. B. hier.\nUnd dort."], None)][-1].endswith("Und dort.")
    assert sentences(["Quark, xx. Und?"], "xx") != []
