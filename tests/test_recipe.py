"""Recipes: what is wrong in one is said with file, line and the nearest valid name, before anything runs."""

from pathlib import Path

import pytest

from curate.errors import UserError
from curate.recipes.reading import read_recipe, shipped
from schemas.recipe import Recipe
from schemas.signals import SIGNALS


def _recipe(tmp_path: Path, text: str) -> str:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("name", sorted(shipped()))
def test_every_shipped_recipe_is_valid(name: str) -> None:
    assert read_recipe(name).name == name


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("fetch:\n  per_hots_rate: 3\n", 2, "did you mean 'per_host_rate'?"),
        ("fetch:\n  retries: many\n", 2, "fetch.retries: input should be a valid integer"),
        (
            "select:\n  image:\n    - {signal: width, min: 150}\n    - {signal: widht, min: 150}\n",
            4,
            "did you mean 'width'?",
        ),
        ("select:\n  node:\n    - {signal: words, min: 9, max: 4}\n", 3, "min 9 is above max 4"),
        ("select:\n  node:\n    - {signal: words, minimum: 9}\n", 3, "did you mean 'min'?"),
        ("select:\n  image:\n    - {signal: format, min: 2}\n", 3, "format is text"),
        ("select:\n  image:\n    - {signal: width}\n", 3, "needs one of min, max"),
        ("select:\n  document:\n    - {signal: language_score, min: 1.5}\n", 3, "between 0 and 1"),
        ("select:\n  document:\n    - {signal: language, in: []}\n", 3, "in is empty"),
        ("screen:\n  document:\n    - {signal: width, min: 1}\n", 3, "unknown document signal 'width'"),
        ("pack:\n  merge_texts: true\n  merge_texts: false\n", 3, "given twice"),
        ("select:\n  image:\n    - {signal: nsfw, max: 0.8}\n", 1, "set measure.nsfw to true"),
        (
            "select:\n  image:\n    - {signal: blur, min: 9, when: {signal: nsfw, max: 0.8}}\n",
            1,
            "set measure.nsfw to true",
        ),
        ("measure: {nsfv: true}\n", 1, "did you mean 'nsfw'?"),
        ("fetch: [\n", 2, "not valid YAML"),
        ("name: !!python/none x\n", 1, "not valid YAML"),
        ("- a\n- b\n", 1, "a recipe is a mapping"),
        ("select:\n  node:\n    - {signal: words, min: .nan}\n", 3, "finite number"),
        ("select:\n  node:\n    - {signal: words, min: yes}\n", 3, "valid number"),
        ("select:\n  image:\n    - {signal: width, keep_top: 0}\n", 3, "such as 0.7 for the top 70 %"),
        ("select:\n  image:\n    - {signal: width, keep_top: 1.01}\n", 3, "a share above 0 and up to 1"),
        ("select:\n  image:\n    - {signal: format, keep_top: 0.5}\n", 3, "bound it by in, not_in or excludes"),
        ("screen:\n  document:\n    - {signal: words, keep_top: 0.5}\n", 3, "use it in select, or bound words by min"),
        (
            "select:\n  node:\n    - {signal: words, min: 1, when: {signal: words, keep_top: 0.5}}\n",
            3,
            "keep_top: unknown name; known: signal, min, max, in, not_in, excludes",
        ),
    ],
)
def test_a_mistake_is_named_with_its_line_and_what_was_meant(tmp_path: Path, text: str, line: int, said: str) -> None:
    path = _recipe(tmp_path, text)
    with pytest.raises(UserError) as error:
        read_recipe(path)
    assert str(error.value).startswith(f"{path}:{line}: ")
    assert said in str(error.value)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    path = _recipe(tmp_path, "nmae: x\nfetch: {retires: 1}\n")
    with pytest.raises(UserError) as error:
        read_recipe(path)
    assert [line.split(": ")[1] for line in str(error.value).splitlines()] == ["fetch.retires", "nmae"]


def test_an_unknown_recipe_name_brings_the_nearest_one() -> None:
    with pytest.raises(UserError, match="did you mean 'obelics'"):
        read_recipe("obelisk")


def test_a_setting_replaces_a_value_and_reaches_a_rule_by_its_signal() -> None:
    recipe = read_recipe("default", ["fetch.retries=5", "select.image.width.min=200", "select.image.alt_words.min=1"])
    assert recipe.fetch.retries == 5
    bounds = {rule.signal: rule.min for rule in recipe.select.image}
    assert bounds["width"] == 200
    assert bounds["alt_words"] == 1
    assert len([rule for rule in recipe.select.image if rule.signal == "width"]) == 1


@pytest.mark.parametrize("setting", ["fetch.retries", "=3", "fetch..retries=3", "name.x=3"])
def test_a_setting_that_cannot_be_applied_is_an_error(setting: str) -> None:
    with pytest.raises(UserError, match="--set"):
        read_recipe("default", [setting])


def test_a_wrong_setting_is_named_as_the_place_of_the_mistake() -> None:
    with pytest.raises(UserError, match=r"^--set fetch\.retires=3: fetch\.retires: unknown name"):
        read_recipe("default", ["fetch.retires=3"])


def test_a_setting_gives_a_rule_a_share_or_takes_its_bound_away() -> None:
    recipe = read_recipe("default", ["select.image.width.keep_top=0.7", "select.image.width.min=null"])
    (width,) = (rule for rule in recipe.select.image if rule.signal == "width")
    assert (width.keep_top, width.min, width.max) == (0.7, None, 20000)


def test_a_setting_that_makes_a_rule_wrong_is_named_rather_than_the_recipe_s_line() -> None:
    with pytest.raises(UserError, match=r"^--set select\.image\.width\.keep_top=70: select\.image\.1: keep_top is"):
        read_recipe("default", ["select.image.width.keep_top=70"])


def test_a_field_that_is_not_set_leaves_no_trace_in_what_decides_the_outcome() -> None:
    assert "keep_top" not in str(read_recipe("default").select.fingerprinted())


def test_an_empty_recipe_has_every_default(tmp_path: Path) -> None:
    assert read_recipe(_recipe(tmp_path, "")) == Recipe()


def test_operational_settings_are_not_part_of_what_decides_the_outcome() -> None:
    fast = Recipe.model_validate({"fetch": {"per_host_rate": 99, "concurrency": 2, "deadline_seconds": 1}})
    assert fast.fetch.fingerprinted() == Recipe().fetch.fingerprinted()
    other = Recipe.model_validate({"fetch": {"max_bytes": 5}})
    assert other.fetch.fingerprinted() != Recipe().fetch.fingerprinted()


def test_the_obelics_recipe_states_the_published_bounds() -> None:
    recipe = read_recipe("obelics")
    image = {rule.signal: rule for rule in recipe.select.image}
    node = {rule.signal: rule for rule in recipe.select.node}
    document = {rule.signal: rule for rule in recipe.select.document}
    assert (image["width"].min, image["width"].max, image["aspect_ratio"].max) == (150, 20000, 2)
    assert (node["words"].min, node["words"].max, node["special_character_ratio"].max) == (4, 1000, 0.3)
    assert (document["words"].min, document["words"].max, document["special_character_ratio"].max) == (10, 2000, 0.275)
    assert (document["images"].min, document["images"].max) == (1, 30)
    assert (node["stop_word_ratio"].min, document["stop_word_ratio"].min) == (0.3, 0.35)
    assert (document["word_repetition_ratio"].max, document["punctuation_ratio"].min) == (0.2, 0.03)


def test_every_signal_says_what_it_measures_and_in_which_unit() -> None:
    assert all(signal.meaning and signal.unit for signal in SIGNALS.values())
