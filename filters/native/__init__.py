"""The loops over characters and words of texts that are written in C: `texts.c`, where each function is described.

Arrays are checked for type and layout at each call; that they are large enough is the matter of who calls.
"""

from filters.library import BYTES, FLAGS, FLOATS, HASHES, INTS, NUMBER, POINTS, TEXT, Library

# Bits of a mark, by which lines and sentences are told.
BULLET, ELLIPSIS, TERMINAL, STOP, WIDE, CLOSING = (1 << i for i in range(6))
# Rows that are counted behind those of the classes.
COUNTED = (
    "words", "lines", "bullet_lines", "ellipsis_lines", "terminal_lines", "sentences", "hash_marks", "ellipses",
    "curly_brackets",
)  # fmt: skip
# Bits of a code point in words.
SPACE, ALNUM, ALPHA, EDGE, APOSTROPHE, ALONE, DECIMAL = (1 << i for i in range(7))
# Lists by the bits of a listed word; the bits above are the caller's, counted by document.
LISTS = ("stop_words", "common_words", "flagged_words", "spam_words")
# Of a hash in a list so many of the lowest bits give way to those, and so many of the uppermost are an index.
LIST_BITS, INDEX_BITS = 12, 14
# Rows of characters in words that are repeated: the most frequent n-gram, and those that were there before.
TOP_ORDERS, DUPLICATE_ORDERS = (2, 3, 4), (5, 6, 7, 8, 9, 10)

_LIBRARY = Library("filters.native", "texts")
_function, _procedure = _LIBRARY.function, _LIBRARY.procedure

count_characters = _procedure("count_characters", POINTS, INTS, INTS, NUMBER, BYTES, NUMBER, BYTES, NUMBER, INTS)
count_phrases = _procedure("count_phrases", POINTS, INTS, INTS, NUMBER, POINTS, INTS, NUMBER, INTS)
repetition = _function("repetition", POINTS, INTS, INTS, NUMBER, NUMBER, FLOATS)
hash_words = _procedure("hash_words", POINTS, INTS, NUMBER, HASHES)
hash_packed = _function("hash_packed", TEXT, NUMBER, HASHES)
number_words = _function(
    "number_words", POINTS, INTS, INTS, NUMBER, FLAGS, BYTES, NUMBER, INTS, INTS, POINTS, INTS, HASHES, BYTES, INTS
)  # fmt: skip
build_list = _function("build_list", HASHES, NUMBER, HASHES, INTS)
count_listed = _function(
    "count_listed", INTS, INTS, NUMBER, POINTS, INTS, HASHES, BYTES, NUMBER, INTS, NUMBER, HASHES, HASHES, NUMBER,
    BYTES, NUMBER, INTS, INTS, INTS,
)  # fmt: skip
repeated_words = _function("repeated_words", INTS, INTS, INTS, INTS, NUMBER, INTS, INTS, INTS)
