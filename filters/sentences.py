"""Sentences of a page's texts: what an image is compared with and placed beside. By sentencex (Wikimedia, MIT)."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Sentence:
    """A sentence and the node that it is in."""

    node: int
    text: str


def sentences(texts: Sequence[str | None], language: str | None) -> list[Sentence]:
    """All sentences of a document's texts in their order; those without a letter or digit are left out.

    `language` is the ISO 639-1 code by whose abbreviations and marks is cut; sentencex falls back to a related language
    and then to English.
    """
    from sentencex import segment

    return [
        Sentence(node, sentence)
        for node, text in enumerate(texts)
        if text
        for part in segment(language or "en", text)
        if any(map(str.isalnum, sentence := " ".join(part.split())))
    ]
