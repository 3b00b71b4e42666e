"""What an image of a page may be about: its alternative text, its caption, the words around it, sentences of the page.

A text tower sees 77 tokens or fewer and ignores the rest. So a longer text is cut at the ends of sentences into pieces
that fit, and counts with the most similar of them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from filters.sentences import Sentence, sentences
from schemas.recipe import ScoreSettings
from schemas.statuses import ClipText

CountTokens = Callable[[str], int]


class PageTexts:
    """The sentences of a document, and the candidate texts of its images."""

    def __init__(self, document: Mapping[str, Any], settings: ScoreSettings, room: int, count: CountTokens) -> None:
        self._document, self._settings, self._room, self._count = document, settings, room, count
        self._language: str | None = document["language"]
        self._sentences: list[Sentence] = sentences(document["texts"], self._language)
        wanted = settings.max_sentences if ClipText.SENTENCE in settings.texts else 0
        self.sentences: list[str] = [sentence.text for sentence in self._sentences[:wanted]]

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
        return pieces((part.text for part in sentences([text], self._language)), self._room, self._count)

    def _preceding(self, position: int) -> list[str]:
        before = [sentence.text for sentence in self._sentences if sentence.node < position]
        near = list(_within(reversed(before), self._settings.window_characters))
        return pieces(reversed(near), self._room, self._count)

    def _following(self, position: int) -> list[str]:
        behind = (sentence.text for sentence in self._sentences if sentence.node > position)
        return pieces(_within(behind, self._settings.window_characters), self._room, self._count)


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


def distinct(texts: Iterable[str]) -> Sequence[str]:
    """Each text once, in the order of first appearance."""
    return list(dict.fromkeys(texts))
