"""The recipes that carry a corpus' name have exactly the bounds that its paper and code publish."""

import re
from importlib.resources import files

import pytest

from curate.recipes.reading import read_recipe
from schemas.rules import Bound, Rule

Bounds = dict[str, object]
NAMES = (
    ("min", "min"),
    ("max", "max"),
    ("in_", "in"),
    ("not_in", "not_in"),
    ("excludes", "excludes"),
)


def _bounds(rule: Bound) -> Bounds:
    given = {name: getattr(rule, attribute) for attribute, name in NAMES}
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in given.items() if value is not None
    }


def _stated(rules: tuple[Rule, ...]) -> dict[str, Bounds]:
    stated: dict[str, Bounds] = {}
    for rule in rules:
        assert rule.signal not in stated
        when = {"when": (rule.when.signal, _bounds(rule.when))} if rule.when else {}
        stated[rule.signal] = {**_bounds(rule), **when}
    return stated


# OBELICS: arXiv 2306.16527, appendix A.1; configs/config_filter_web_documents.yaml, build 04 and 13 at 0fca7ba.
OBELICS = {
    "screen.document": {"language": {"in": ["en"]}, "language_score": {"min": 0.8}, "images": {"min": 1}},
    "select.node": {
        "words": {"min": 4, "max": 1000},
        "character_repetition_ratio": {"max": 0.1},
        "word_repetition_ratio": {"max": 0.1},
        "special_character_ratio": {"max": 0.3},
        "stop_word_ratio": {"min": 0.3},
        "flagged_word_ratio": {"max": 0.01},
        "punctuation_ratio": {"min": 0.001, "when": ("words", {"min": 12})},
        "common_word_ratio": {"min": 0.8},
        "spam_word_ratio": {"max": 0.1199},
    },
    "select.image": {
        "image_url": {"excludes": ["logo", "button", "icon", "plugin", "widget", "porn", "xxx", "sex"]},
        "format": {"in": ["jpeg", "png", "webp"]},
        "width": {"min": 150, "max": 20000},
        "height": {"min": 150, "max": 20000},
        "rendered_width": {"min": 150, "max": 20000},
        "rendered_height": {"min": 150, "max": 20000},
        "aspect_ratio": {"max": 2},
        "nsfw": {"max": 0.85},
    },
    "select.document": {
        "images": {"min": 1, "max": 30},
        "words": {"min": 10, "max": 2000},
        "character_repetition_ratio": {"max": 0.1},
        "word_repetition_ratio": {"max": 0.2},
        "special_character_ratio": {"max": 0.275},
        "stop_word_ratio": {"min": 0.35},
        "flagged_word_ratio": {"max": 0.01},
        "punctuation_ratio": {"min": 0.03},
        "common_word_ratio": {"min": 0.9},
        "perplexity": {"max": 1500},
    },
}
# MMC4: arXiv 2304.06939; C4: arXiv 1910.10683, section 2.2, and c4_utils.py.
MMC4 = {
    "screen.document": {
        "language": {"in": ["en"]},
        "language_score": {"min": 0.65},
        "lorem_ipsum": {"max": 0},
        "curly_brackets": {"max": 0},
        "flagged_word_ratio": {"max": 0},
        "images": {"min": 1},
    },
    "select.node": {
        "terminal_line_ratio": {"min": 1},
        "words": {"min": 3},
        "javascript": {"max": 0},
        "policy_phrases": {"max": 0},
    },
    "select.image": {
        "image_url": {"excludes": ["logo", "button", "icon", "plugin", "widget"]},
        "format": {"in": ["jpeg", "png"]},
        "width": {"min": 150},
        "height": {"min": 150},
        "aspect_ratio": {"max": 2},
        "copies": {"max": 10},
        "nsfw": {"max": 0.1},
    },
    "select.document": {"sentences": {"min": 5}, "images": {"min": 1}},
}
# Gopher: arXiv 2112.11446, A.1.1 and table A1.
GOPHER = {
    "words": {"min": 50, "max": 100000},
    "mean_word_length": {"min": 3, "max": 10},
    "symbol_word_ratio": {"max": 0.1},
    "bullet_line_ratio": {"max": 0.9},
    "ellipsis_line_ratio": {"max": 0.3},
    "alphabetic_word_ratio": {"min": 0.8},
    "gopher_stop_words": {"min": 2},
    "duplicate_line_ratio": {"max": 0.3},
    "duplicate_paragraph_ratio": {"max": 0.3},
    "duplicate_line_character_ratio": {"max": 0.2},
    "duplicate_paragraph_character_ratio": {"max": 0.2},
    "top_2gram_character_ratio": {"max": 0.2},
    "top_3gram_character_ratio": {"max": 0.18},
    "top_4gram_character_ratio": {"max": 0.16},
    "duplicate_5gram_character_ratio": {"max": 0.15},
    "duplicate_6gram_character_ratio": {"max": 0.14},
    "duplicate_7gram_character_ratio": {"max": 0.13},
    "duplicate_8gram_character_ratio": {"max": 0.12},
    "duplicate_9gram_character_ratio": {"max": 0.11},
    "duplicate_10gram_character_ratio": {"max": 0.1},
}
# OmniCorpus: arXiv 2406.08418; human_feedback_textfiltering at ce4a012.
OMNICORPUS = {
    "screen.document": {
        "language": {"in": ["en"]},
        "images": {"min": 1},
        **GOPHER,
        "lorem_ipsum": {"max": 0},
        "curly_brackets": {"max": 0},
        "sentences": {"min": 5},
    },
    "select.node": {
        "words": {"min": 5},
        "characters": {"min": 10},
        "uppercase_ratio": {"max": 0.8, "when": ("image_distance", {"min": 6})},
        "digit_ratio": {"max": 0.8, "when": ("image_distance", {"min": 6})},
        "flagged_word_ratio": {"max": 0.0199},
        "navigation_phrases": {"max": 0, "when": ("words", {"max": 10})},
        "social_counters": {"max": 0},
        "phone_numbers": {"max": 0, "when": ("words", {"max": 79})},
        "dates": {"max": 0, "when": ("words", {"max": 19})},
        "bylines": {"max": 0, "when": ("words", {"max": 9})},
    },
    "select.image": {
        "width": {"min": 150},
        "height": {"min": 150},
        "aspect_ratio": {"max": 2},
        "copies": {"max": 10},
        "nsfw": {"max": 0.8},
    },
    "select.document": {
        "images": {"min": 1},
        "words": {"min": 50, "max": 100000},
        "mean_word_length": {"min": 3, "max": 10},
        "alphabetic_word_ratio": {"min": 0.8},
        "stop_words": {"min": 2},
        "flagged_word_ratio": {"max": 0.02},
        "words_per_image": {"min": 50, "when": ("images", {"min": 3})},
        "mean_text_words": {"min": 12, "when": ("longest_text_words", {"max": 34})},
    },
}


@pytest.mark.parametrize(
    ("name", "published"), [("obelics", OBELICS), ("mmc4", MMC4), ("omnicorpus", OMNICORPUS)], ids=lambda v: str(v)[:10]
)
def test_a_published_recipe_has_exactly_the_published_bounds(
    name: str, published: dict[str, dict[str, Bounds]]
) -> None:
    recipe = read_recipe(name)
    stated = {
        "screen.document": _stated(recipe.screen.document),
        "select.node": _stated(recipe.select.node),
        "select.image": _stated(recipe.select.image),
        "select.document": _stated(recipe.select.document),
    }
    assert stated == published


def test_the_core_subset_of_mmc4_is_four_settings_away() -> None:
    bounds = ["sentences.min=4", "sentences.max=40", "images.min=2", "images.max=15"]
    core = _stated(read_recipe("mmc4", [f"select.document.{bound}" for bound in bounds]).select.document)
    assert core == {"sentences": {"min": 4, "max": 40}, "images": {"min": 2, "max": 15}}


def test_mmc4s_scores_and_placement_are_the_settings_that_its_first_lines_name() -> None:
    first_lines = (files("curate.recipes") / "mmc4.yaml").read_text().split("name:")[0]
    settings = re.findall(r"--set '?((?:score|select\.image|pack)\.[^\s']+)", first_lines)
    recipe = read_recipe("mmc4", settings)
    assert recipe.score is not None
    assert (recipe.score.model, recipe.score.pretrained, recipe.score.texts) == ("ViT-L-14", "openai", ("sentence",))
    assert _stated(recipe.select.image)["clip_score"] == {"min": 0.15}
    assert recipe.pack.placement == "matched"


def test_mmc4_images_are_at_most_800_pixels_and_the_others_stay_as_they_came() -> None:
    resize = read_recipe("mmc4").fetch.resize
    assert resize and (resize.size, resize.mode, resize.only_if_bigger) == (800, "keep_ratio_largest", True)
    assert read_recipe("obelics").fetch.resize is None and read_recipe("omnicorpus").fetch.resize is None


def test_a_recipe_that_repeats_a_publication_changes_no_text() -> None:
    assert [read_recipe(name).pack.pii for name in ("obelics", "mmc4", "omnicorpus")] == [None] * 3
    kinds = read_recipe("default").pack.pii
    assert kinds and set(kinds.placeholders) == {"email", "ip", "phone", "card", "iban"}


def test_published_recipes_look_for_duplicates_as_published() -> None:
    obelics, mmc4, omnicorpus = (read_recipe(name).dedup for name in ("obelics", "mmc4", "omnicorpus"))
    near, paragraphs = obelics.text.near, obelics.text.paragraphs
    assert near and (near.permutations, near.ngram) == (16, 5)
    assert (obelics.text.url, obelics.text.image_sets, obelics.text.max_image_documents) == (True, True, 10)
    assert paragraphs and (paragraphs.copies, paragraphs.counted, paragraphs.keep) == (3, "occurrences", "none")
    assert obelics.images.in_document == "exact"
    assert (mmc4.images.perceptual_distance, mmc4.images.in_document) == (5, "perceptual")
    assert omnicorpus.text.near and (omnicorpus.text.near.jaccard, omnicorpus.text.survivor) == (0.8, "latest")
    assert omnicorpus.images.perceptual_distance == 0
