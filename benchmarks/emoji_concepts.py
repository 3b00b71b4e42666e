"""What emoji show: concepts with a name, keywords and a place in Unicode's groups, and which drawing shows which.

From `emojibase-data`. Skin tones are one concept with the drawing that has none, people who face right one with those
who face left, and flags are no concepts: they are told apart by colours alone, hundreds of them, and would make every
figure look better than it is.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from emoji_sets import EMOJIBASE, Drawings, fetch, read_json

COMPONENT_GROUP, FLAG_GROUP = 2, 9
HELD_OUT = 120
# The same for every seed of training, so that what is not trained on is the same concepts.
SPLIT_SEED = 2026
# What a code point sequence says about a person rather than about what the person does: joiner, variation selector,
# signs and figures of women, men and adults.
_PERSONAL = frozenset("200D FE0F 2640 2642 1F468 1F469 1F9D1".split())
_FACING_RIGHT = "-200D-27A1"
_SHORTCODES = ("cldr", "emojibase", "joypixels", "iamcal", "github", "emojibase-legacy")


@dataclass(frozen=True)
class Concept:
    """Something that emoji show."""

    code: str
    """Code points as in `1F3C3-200D-2642-FE0F`."""
    name: str
    keywords: tuple[str, ...]
    """Without those that only repeat the name."""
    group: int
    subgroup: int
    held_out: bool
    """In no training set's style."""

    @property
    def family(self) -> str:
        """The same for a woman, a man and a person who do one thing."""
        return _family(self.code)


def _family(code: str) -> str:
    points = code.split("-")
    return next((point for point in points if point not in _PERSONAL), points[0])


def read_concepts(folder: Path) -> list[Concept]:
    """All concepts in Unicode's order, `HELD_OUT` or a few more of them held out, by whole families."""
    rows = [row for row in read_json(fetch(EMOJIBASE, folder), "en/data.json") if _is_concept(row)]
    rows.sort(key=lambda row: row["order"])
    held = _held_out([row["hexcode"] for row in rows])
    return [_concept(row, row["hexcode"] in held) for row in rows]


def _is_concept(row: Mapping[str, Any]) -> bool:
    grouped = "group" in row and row["group"] not in (COMPONENT_GROUP, FLAG_GROUP)
    return grouped and _FACING_RIGHT not in row["hexcode"]


def _concept(row: Mapping[str, Any], held_out: bool) -> Concept:
    name = row["label"].lower()
    keywords = tuple(tag for tag in row.get("tags", ()) if tag not in name and len(tag) > 1)
    return Concept(row["hexcode"], name, keywords, row["group"], row["subgroup"], held_out)


def _held_out(codes: Sequence[str]) -> frozenset[str]:
    families: dict[str, list[str]] = {}
    for code in codes:
        families.setdefault(_family(code), []).append(code)
    held: list[str] = []
    for place in np.random.default_rng(SPLIT_SEED).permutation(len(families)):
        if len(held) >= HELD_OUT:
            break
        held.extend(list(families.values())[place])
    return frozenset(held)


def drawn_concepts(concepts: Sequence[Concept], drawings: Drawings, folder: Path) -> dict[str, str]:
    """Codes of concepts to names of drawings: by code points where the package lists them, by name elsewhere.

    Names are compared without case and punctuation; the name of today goes before short codes, and these before the
    name of the Unicode standard, because the oldest names mean other faces than the same words do today.
    """
    by_points = {_bare(points): name for points, name in drawings.characters.items()}
    by_letters: dict[str, str] = {}
    for name in drawings.names:
        by_letters.setdefault(_letters(name), name)
    found = {c.code: by_points[_bare(c.code)] for c in concepts if _bare(c.code) in by_points}
    taken = set(found.values())
    for names in _all_names(concepts, folder):
        for concept in concepts:
            same = next((by_letters[n] for n in names.get(concept.code, ()) if n in by_letters), None)
            if concept.code not in found and same is not None and same not in taken:
                found[concept.code] = same
                taken.add(same)
    return found


def _bare(points: str) -> str:
    """Code points without the variation selector, which packages write or leave out."""
    return "-".join(p for p in points.upper().split("-") if p != "FE0F")


def _letters(name: str) -> str:
    return re.sub(r"[^0-9a-z]", "", name.lower())


def _all_names(concepts: Sequence[Concept], folder: Path) -> list[dict[str, list[str]]]:
    """Names of concepts by code, one mapping for each source, the most reliable first."""
    archive = fetch(EMOJIBASE, folder)
    sources = [{concept.code: [_letters(concept.name)] for concept in concepts}]
    for source in (*(f"en/shortcodes/{name}.json" for name in _SHORTCODES), "meta/unicode-names.json"):
        names = read_json(archive, source)
        listed = {code: [some] if isinstance(some, str) else some for code, some in names.items()}
        sources.append({code: [_letters(name) for name in some] for code, some in listed.items()})
    return sources
