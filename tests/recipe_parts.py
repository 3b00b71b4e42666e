"""Sections of a recipe as tests give them: plain data, as it would stand in YAML."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

Section = Mapping[str, object]


class RecipeParts(TypedDict, total=False):
    """What is not given has its default."""

    dedup: Section
    decontaminate: Sequence[Section]
    balance: Section
    screen: Section
