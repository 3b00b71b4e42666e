"""How much of a text is written in a picture: a picture of its own caption says little that the caption does not.

In the spirit of T-MARS (Maini et al. 2023, arXiv 2307.03132), which masks text in pictures and scores them again: CLIP
reads, so a picture in which a text is written is similar to it whatever else it shows. Here the words are compared.
"""

import re
import unicodedata
from collections.abc import Sequence

_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_KANA = re.compile("[\u3040-\u30ff]")
# A letter of Chinese or Japanese is a word, and so is a run of other letters and digits.
_WORD = re.compile(
    "[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|"
    "[^\\W_\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+"
)
# Shorter words are in every line of text somewhere; they count where they stand alone.
_LETTERS_ANYWHERE = 4


def text_overlap(text: str, lines: Sequence[str]) -> float | None:
    """Share of a text's distinct words that are in lines read from a picture.

    Recognition leaves spaces and accents out, so these do not count: a word is found inside a line too, unless it is
    short. Kana are not looked for. Null where that leaves no word, or most of them are of scripts that it cannot read.
    """
    words = {word for word in _words(text) if not _KANA.match(word)}
    readable = {word for word in words if word.isascii() or _HAN.match(word)}
    if not readable or 2 * len(readable) < len(words):
        return None
    read = [_words(line) for line in lines]
    alone = {word for line in read for word in line}
    joined = " ".join("".join(line) for line in read)
    found = sum(word in alone or (len(word) >= _LETTERS_ANYWHERE and word in joined) for word in readable)
    return found / len(readable)


def _words(text: str) -> list[str]:
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return _WORD.findall(plain)
