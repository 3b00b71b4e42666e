"""The loops over tags, elements and characters that are written in C: `markup.c`, where each function is described.

Arrays are checked for type and layout at each call; that they are large enough is the matter of who calls.
"""

from collections.abc import Callable
from ctypes import c_char_p, c_double, c_int, c_int64, c_void_p
from typing import Any

import numpy as np

from filters.library import load

_BYTES, _SHORTS = np.ctypeslib.ndpointer(np.uint8, flags="C"), np.ctypeslib.ndpointer(np.int16, flags="C")
_INTS, _HASHES = np.ctypeslib.ndpointer(np.int64, flags="C"), np.ctypeslib.ndpointer(np.uint64, flags="C")
_FLOATS, _DOUBLES = np.ctypeslib.ndpointer(np.float32, flags="C"), np.ctypeslib.ndpointer(np.float64, flags="C")
_FLAGS, _N = np.ctypeslib.ndpointer(np.bool_, flags="C"), c_int64

# Tables of `learn`, and the purposes of `learn_purposes`.
NAMES, WORDS, ROLES, PROPERTIES = range(4)
PURPOSES = ("content", "body_text", "hidden", "unseen", "overlay")
# What `pair_tags` answers instead of a number.
BROKEN, TOO_DEEP = -1, -2
# Bits of a kind of element.
VOID, BLOCK, GONE, RAW, PLAIN, IMAGE, HEADER, SAYS, BREAKS, NESTS = (1 << i for i in range(10))
# Bits of a code point, and what is counted by them.
SOLID, LETTER, UPPER, DIGIT, ENDER, COMMA, UNSPACED, FINAL = (1 << i for i in range(8))
COUNTERS = ("solid", "words", "letters", "upper", "digits", "enders", "commas", "ended", "spaced", "breaks")
# Bits of what a page may have.
DATA, MATH, MATH_SCRIPT, PLAINTEXT, EDIT_LINKS, FORMULAS, COMMONS = (1 << i for i in range(7))

_LIBRARY = load("pipelines.extract.native", "markup")


def _declared(name: str, result: type | None, *arguments: Any) -> Callable[..., int]:
    function = getattr(_LIBRARY, name)
    function.restype, function.argtypes = result, arguments
    return function


learn = _declared("learn", None, _N, c_char_p, _INTS, _INTS, _INTS, _N)
learn_stems = _declared("learn_stems", None, c_char_p, _INTS, _INTS, _N)
learn_purposes = _declared("learn_purposes", None, _INTS)
survey = _declared("survey", None, c_char_p, _N, _N, _INTS, _INTS, _N)
is_utf8 = _declared("is_utf8", c_int, c_char_p, _N)
describe = _declared("describe", _N, c_void_p, c_void_p)
scan = _declared("scan", _N, c_char_p, _INTS, _N, *[_INTS] * 7, _BYTES)
pair_tags = _declared("pair_tags", _N, _INTS, _INTS, _N, _N, *[_INTS] * 5)
inherit_most = _declared("inherit_most", None, _INTS, _N, _SHORTS)
inherit_bits = _declared("inherit_bits", None, _INTS, _N, _INTS)
inherit_nearest = _declared("inherit_nearest", None, _INTS, _N, _FLAGS, _INTS)
inherit_outermost = _declared("inherit_outermost", None, _INTS, _N, _FLAGS, _INTS)
inherit_paths = _declared("inherit_paths", None, _INTS, _N, _INTS, _INTS, _HASHES)
distances = _declared("distances", c_int, *[_INTS] * 4, _N, _N, _N, _INTS, _N, _N, _N, _N, _FLOATS)
find_blocks = _declared("find_blocks", _N, *[_INTS] * 5, _N, _N, _N, c_double, *[_INTS] * 5)
write_texts = _declared("write_texts", None, _BYTES, _INTS, _INTS, _INTS, _N, _BYTES, _N, _BYTES, _INTS, _HASHES, _INTS)
count_words = _declared("count_words", None, c_char_p, _N, c_char_p, _INTS, _N, _INTS)
evaluate = _declared("evaluate", None, _FLOATS, _N, _SHORTS, _FLOATS, _FLOATS, _N, _N, _N, _DOUBLES)
