"""The loops over tags, elements and characters that are written in C: `markup.c`, where each function is described.

Arrays are checked for type and layout at each call; that they are large enough is the matter of who calls.
"""

from filters.library import (
    ADDRESS,
    BYTES,
    DOUBLES,
    FLAGS,
    FLOATS,
    HASHES,
    INTS,
    NUMBER,
    POINTS,
    REAL,
    SHORTS,
    TEXT,
    Library,
)

# Tables of `learn`, and the purposes of `learn_purposes`.
NAMES, WORDS, ROLES, PROPERTIES = range(4)
PURPOSES = ("content", "body_text", "hidden", "unseen", "overlay")
# What `pair_tags` answers instead of a number.
BROKEN, TOO_DEEP = -1, -2
# Bits of a kind of element.
VOID, BLOCK, GONE, RAW, PLAIN, IMAGE, HEADER, SAYS, BREAKS, NESTS = (1 << i for i in range(10))
READ, TEXTUAL, FOREIGN, BREAKOUT, UNSURE, TELLS = (1 << i for i in range(10, 16))
# Bits of a code point, and what is counted by them.
SOLID, LETTER, UPPER, DIGIT, ENDER, COMMA, UNSPACED, FINAL = (1 << i for i in range(8))
COUNTERS = ("solid", "words", "letters", "upper", "digits", "enders", "commas", "ended", "spaced", "breaks")
# Bits of what a page may have.
DATA, MATH, MATH_SCRIPT, PLAINTEXT, MARKS, FORMULAS, COMMONS, DRAWINGS, TEMPLATES, RAISED = (1 << i for i in range(10))

_LIBRARY = Library("pipelines.extract.native", "markup")
_function, _procedure = _LIBRARY.function, _LIBRARY.procedure

write_markup = _function("write_markup", ADDRESS, ADDRESS, BYTES, NUMBER)
learn = _procedure("learn", NUMBER, TEXT, INTS, INTS, INTS, NUMBER)
learn_stems = _procedure("learn_stems", TEXT, INTS, INTS, NUMBER)
learn_purposes = _procedure("learn_purposes", INTS)
survey = _procedure("survey", TEXT, NUMBER, NUMBER, NUMBER, BYTES, INTS, INTS, NUMBER)
is_utf8 = _function("is_utf8", TEXT, NUMBER)
describe = _function("describe", ADDRESS, ADDRESS)
list_names = _function("list_names", TEXT, INTS, INTS, INTS, INTS, NUMBER, INTS, POINTS)
lay_out_names = _procedure("lay_out_names", POINTS, FLOATS, NUMBER, POINTS, FLOATS, NUMBER)
score_names = _function("score_names", INTS, POINTS, NUMBER, POINTS, FLOATS, NUMBER, INTS, NUMBER, INTS, NUMBER, FLOATS)
scan = _function("scan", TEXT, INTS, NUMBER, *[INTS] * 7, BYTES)
pair_tags = _function("pair_tags", INTS, INTS, NUMBER, NUMBER, *[INTS] * 5)
inherit_most = _procedure("inherit_most", INTS, NUMBER, SHORTS)
inherit_bits = _procedure("inherit_bits", INTS, NUMBER, INTS)
inherit_nearest = _procedure("inherit_nearest", INTS, NUMBER, FLAGS, INTS)
inherit_outermost = _procedure("inherit_outermost", INTS, NUMBER, FLAGS, INTS)
inherit_paths = _procedure("inherit_paths", INTS, NUMBER, INTS, INTS, HASHES)
distances = _function(
    "distances", *[INTS] * 4, NUMBER, NUMBER, NUMBER, INTS, NUMBER, NUMBER, NUMBER, NUMBER, FLOATS
)  # fmt: skip
find_blocks = _function("find_blocks", *[INTS] * 5, NUMBER, NUMBER, NUMBER, REAL, *[INTS] * 5)
write_texts = _procedure("write_texts", BYTES, INTS, INTS, INTS, NUMBER, BYTES, NUMBER, BYTES, INTS, HASHES, INTS)
page_means = _function("page_means", FLOATS, NUMBER, INTS, NUMBER, INTS, FLAGS, NUMBER, DOUBLES, FLOATS)
best_by_f1 = _function(
    "best_by_f1", DOUBLES, INTS, INTS, NUMBER, DOUBLES, REAL, DOUBLES, DOUBLES, NUMBER, FLAGS
)  # fmt: skip
evaluate = _procedure("evaluate", FLOATS, NUMBER, SHORTS, FLOATS, FLOATS, NUMBER, NUMBER, NUMBER, DOUBLES)
