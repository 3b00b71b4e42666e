"""Measures of whole pages: what kind they are, and how much of them is text, links and repeated template."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.extract.blocks import Blocks
from pipelines.extract.content import KINDS, Choice

# Blocks that look alike (same tags and classes from the root down) this often are filled in by a template.
_TEMPLATE = 10


@dataclass(frozen=True)
class Measures:
    """`kind` is one of `KINDS`, None for a page without text; the others are shares of characters, None without text.

    text_density: characters of text by bytes of HTML. link_density: of the content's text, what is inside links.
    template_repetition: of the content's text, what stands in blocks that look like nine others or more.
    """

    kind: str | None = None
    kind_score: float | None = None
    text_density: float | None = None
    link_density: float | None = None
    template_repetition: float | None = None


def measure(blocks: Blocks, choice: Choice, sizes: Sequence[int]) -> list[Measures]:
    """Measures of each page of a batch, given their sizes in bytes."""
    pages = len(sizes)
    kept, solid = choice.kept, blocks.counts.solid
    spaced = blocks.counts.spaced * kept
    text = np.bincount(blocks.page, solid, pages)
    content = np.bincount(blocks.page, solid * kept, pages)
    linked = np.bincount(blocks.page, np.minimum(blocks.linked * kept, spaced), pages)
    whole = np.bincount(blocks.page, spaced, pages)
    often = np.bincount(choice.alike)[choice.alike] >= _TEMPLATE if len(blocks) else kept
    repeated = np.bincount(blocks.page, solid * (kept & often), pages)
    measured = []
    for page, size in enumerate(sizes):
        if not content[page]:
            measured.append(Measures())
            continue
        kind = int(np.argmax(choice.kinds[page]))
        measured.append(
            Measures(
                kind=KINDS[kind],
                kind_score=float(choice.kinds[page, kind]),
                text_density=float(text[page] / size),
                link_density=float(linked[page] / whole[page]),
                template_repetition=float(repeated[page] / content[page]),
            )
        )
    return measured
