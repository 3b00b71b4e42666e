"""Sentences of a page's texts: what an image is compared with and placed beside. By sentencex (Wikimedia, MIT)."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Sentence:
    """A sentence, the node that it is in, and the character of the node at which it begins."""

    node: int
    start: int
    text: str


def sentences(texts: Sequence[str | None], language: str | None) -> list[Sentence]:
    """All sentences of a document's texts in their order; those without a letter or digit are left out.

    `language` is the ISO 639-1 code by whose abbreviations and marks is cut; sentencex falls back to a related language
    and then to English.
    """
    from sentencex import segment

    found = []
    for node, text in enumerate(texts):
        end = 0
        if not text:
            continue
        for part in segment(language or "en", text):
            start = text.index(part, end)
            end = start + len(part)
            if any(map(str.isalnum, part)):
                found.append(Sentence(node, start + len(part) - len(part.lstrip()), " ".join(part.split())))
    return found
