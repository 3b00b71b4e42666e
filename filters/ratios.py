"""Ratios of text counts, over one text, a whole document or what rules have kept of it."""

import pyarrow as pa
import pyarrow.compute as pc

from filters.formed import Form, Formed, Forms


def divided(_: object, numerator: pa.Array, denominator: pa.Array) -> pa.Array:
    """A quotient as doubles; null where there is nothing to divide by."""
    number = pc.cast(denominator, pa.float64())
    nothing = pa.scalar(None, pa.float64())
    return pc.divide(pc.cast(numerator, pa.float64()), pc.if_else(pc.equal(number, 0.0), nothing, number))


def _of_sum(_: object, part: pa.Array, other: pa.Array) -> pa.Array:
    return divided(_, part, pc.add(pc.cast(part, pa.float64()), pc.cast(other, pa.float64())))


def _of_difference(_: object, part: pa.Array, whole: pa.Array, left_out: pa.Array) -> pa.Array:
    return divided(_, part, pc.subtract(pc.cast(whole, pa.float64()), pc.cast(left_out, pa.float64())))


def _of_most(_: object, one: pa.Array, other: pa.Array, whole: pa.Array) -> pa.Array:
    return divided(_, pc.max_element_wise(one, other, skip_nulls=False), whole)


RATIOS: Forms = {
    "special_character_ratio": Form(("special_characters", "characters"), divided),
    "stop_word_ratio": Form(("stop_words", "words"), divided),
    "flagged_word_ratio": Form(("flagged_words", "words"), divided),
    "spam_word_ratio": Form(("spam_words", "words"), divided),
    "common_word_ratio": Form(("common_words", "alphabetic_words"), divided),
    "alphabetic_word_ratio": Form(("alphabetic_words", "words"), divided),
    "mean_word_length": Form(("word_characters", "words"), divided),
    "bullet_line_ratio": Form(("bullet_lines", "lines"), divided),
    "ellipsis_line_ratio": Form(("ellipsis_lines", "lines"), divided),
    "terminal_line_ratio": Form(("terminal_lines", "lines"), divided),
    "digit_ratio": Form(("digits", "characters"), divided),
    "punctuation_ratio": Form(("punctuation_marks", "words"), _of_sum),
    "symbol_word_ratio": Form(("hash_marks", "ellipses", "words"), _of_most),
    "uppercase_ratio": Form(("uppercase_letters", "characters", "spaces"), _of_difference),
}


def ratios(counts: dict[str, pa.Array]) -> Formed:
    """The ratios of text counts."""
    return Formed(RATIOS, RATIOS, None, counts.__getitem__)
