"""Perplexity of texts by KenLM on SentencePiece pieces, as CCNet and OBELICS measure it (extra `perplexity`)."""

import sys
import unicodedata
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from schemas.recipe import PerplexitySettings

# CCNet (facebookresearch/cc_net, text_normalizer.py), in OBELICS (utils/filtering_utils.py) the same.
_WIDE = "，。、„”“«»」「《》´∶：？！（）；–～’━〈〉【】％►￼"
_PLAIN = ",.," + 9 * '"' + "'::?!();-~'-<>[]%- "
_PUNCTUATION = {**dict(zip(_WIDE, _PLAIN, strict=True)), "—": " - ", "．": ". ", "…": "..."}


def problem(settings: PerplexitySettings) -> str | None:
    """Why the models cannot be used, or None if they can: asked before a job starts."""
    missing = [name for name in ("kenlm", "sentencepiece") if find_spec(name) is None]
    if missing:
        return f"needs {' and '.join(missing)}, which the extra curate[perplexity] brings"
    for name in ("model", "sentencepiece"):
        path = getattr(settings, name)
        if not Path(path).is_file():
            return f"{name}: there is no file {path}"
    return None


def measure(text: str | None, settings: PerplexitySettings) -> float | None:
    """10 to the mean negative log10 probability of a text's pieces and its end; None for a text without any."""
    pieces = _pieces(settings.sentencepiece).encode_as_pieces(_normal(text)) if text else []
    if not pieces:
        return None
    score: float = _model(settings.model).score(" ".join(pieces))
    return 10.0 ** (-score / (len(pieces) + 1))


def _normal(text: str) -> str:
    """Control characters, line breaks among them, removed, digits to 0, spaces and punctuation to their ASCII forms."""
    return text.strip().translate(_table())


@cache
def _table() -> dict[int, str | None]:
    table: dict[int, str | None] = {**dict.fromkeys(range(32)), **dict.fromkeys(range(127, 160))}
    for point in range(160, sys.maxunicode):
        category = unicodedata.category(chr(point))
        if category in ("Nd", "Zs"):
            table[point] = "0" if category == "Nd" else " "
    table |= {ord(digit): "0" for digit in "0123456789"}
    return table | {ord(mark): plain for mark, plain in _PUNCTUATION.items()}


@cache
def _pieces(path: str) -> Any:
    from sentencepiece import SentencePieceProcessor

    return SentencePieceProcessor(model_file=path)


@cache
def _model(path: str) -> Any:
    import kenlm

    return kenlm.Model(path)
