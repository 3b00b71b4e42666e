"""Language of a text by fastText's lid.176, as OBELICS and most others identify it."""

from collections.abc import Sequence
from functools import cache
from importlib.resources import as_file, files
from typing import Any

# fastText's time grows with the text and its answer settles early.
_MAX_CHARACTERS = 1500
_LABEL = "__label__"


@cache
def model() -> Any:
    """fastText's model, read once."""
    import fasttext

    with as_file(files("filters") / "data" / "lid.176.ftz") as path:
        return fasttext.load_model(str(path))


def _predict(line: str) -> tuple[str, float]:
    labels, probabilities = model().predict(line)
    return labels[0].removeprefix(_LABEL), min(float(probabilities[0]), 1.0)


def identify(texts: Sequence[str]) -> tuple[list[str | None], list[float | None]]:
    """ISO 639 code and probability for each text; None where a text has no letters to judge by.

    As for OBELICS, text is lower-cased and line breaks become spaces.
    """
    codes: list[str | None] = []
    scores: list[float | None] = []
    for text in texts:
        line = " ".join(text[:_MAX_CHARACTERS].lower().split())
        code, score = _predict(line) if any(map(str.isalpha, line)) else (None, None)
        codes.append(code)
        scores.append(score)
    return codes, scores
