"""What an image of a page may be about: its alternative text, its caption, the words around it, sentences of the page.

A text tower sees 77 tokens or fewer and ignores the rest. So a longer text is cut at the ends of sentences into pieces
that fit, and counts with the most similar of them.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from filters.sentences import Sentence, sentences
from schemas.recipe import ScoreSettings
from schemas.statuses import ClipText

CountTokens = Callable[[str], int]
# More than any tower sees of a sentence: 77 tokens of twelve characters. Tokenizers take the square of a word's length,
# and pages have words of a million letters.
_MOST_CHARACTERS = 1000


class PageTexts:
    """The sentences of a document, and the candidate texts of its images."""

    def __init__(self, document: Mapping[str, Any], settings: ScoreSettings, room: int, count: CountTokens) -> None:
        self._document, self._settings, self._room, self._count = document, settings, room, count
        self._language: str | None = document["language"]
        found = sentences(document["texts"], self._language)
        self._nodes = [sentence.node for sentence in found]
        self._texts = _cut_off(found)
        self.sentences = self._texts[: settings.max_sentences] if ClipText.SENTENCE in settings.texts else []

    def candidates(self, position: int) -> dict[ClipText, list[str]]:
        """Pieces of each candidate text of the image at a node, but for the sentences; without those that are empty."""
        makers: Mapping[ClipText, Callable[[int], list[str]]] = {
            ClipText.ALT: lambda at: self._cut(self._document["alts"][at]),
            ClipText.CAPTION: lambda at: self._cut(self._document["captions"][at]),
            ClipText.PRECEDING: self._preceding,
            ClipText.FOLLOWING: self._following,
        }
        found = {kind: makers[kind](position) for kind in self._settings.texts if kind in makers}
        return {kind: pieces for kind, pieces in found.items() if pieces}

    def _cut(self, text: str | None) -> list[str]:
        return pieces(_cut_off(sentences([text], self._language)), self._room, self._count)

    def _preceding(self, position: int) -> list[str]:
        places = range(bisect_left(self._nodes, position) - 1, -1, -1)
        near = list(_within(map(self._texts.__getitem__, places), self._settings.window_characters))
        return pieces(reversed(near), self._room, self._count)

    def _following(self, position: int) -> list[str]:
        places = range(bisect_right(self._nodes, position), len(self._texts))
        near = _within(map(self._texts.__getitem__, places), self._settings.window_characters)
        return pieces(near, self._room, self._count)


def pieces(parts: Iterable[str], room: int, count: CountTokens) -> list[str]:
    """Sentences joined to pieces of at most `room` tokens; one that is longer is a piece of its own."""
    found: list[str] = []
    used = 0
    for part in parts:
        size = count(part)
        if found and used + size <= room:
            found[-1] += f" {part}"
            used += size
        else:
            found.append(part)
            used = size
    return found


def _within(parts: Iterable[str], characters: int) -> Iterator[str]:
    """The first parts until so many characters are seen; one at least."""
    seen = 0
    for part in parts:
        yield part
        seen += len(part)
        if seen >= characters:
            return


def _cut_off(found: Iterable[Sentence]) -> list[str]:
    return [sentence.text[:_MOST_CHARACTERS] for sentence in found]
