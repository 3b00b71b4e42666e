"""Columns by name, each formed from others when it is first asked for, so that what no rule names costs nothing."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa


@dataclass(frozen=True)
class Form:
    """How a column comes from the columns `of`: `by` gets what they are all about, such as the nodes, then these."""

    of: tuple[str, ...]
    by: Callable[..., pa.Array]


Forms = Mapping[str, Form]


class Formed(Mapping[str, pa.Array]):
    """The columns `names`: formed, each once, or found by `source`."""

    def __init__(self, names: Iterable[str], forms: Forms, about: Any, source: Callable[[str], pa.Array]) -> None:
        self._names, self._forms, self._about, self._source = tuple(names), forms, about, source
        self._held: dict[str, pa.Array] = {}

    def __getitem__(self, name: str) -> pa.Array:
        if name not in self._held:
            form = self._forms.get(name)
            self._held[name] = (
                self._source(name) if form is None else form.by(self._about, *map(self.__getitem__, form.of))
            )
        return self._held[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def sources(forms: Forms, names: Iterable[str]) -> set[str]:
    """What has no form itself of all that columns are formed from."""
    found: set[str] = set()
    for name in names:
        form = forms.get(name)
        found |= {name} if form is None else sources(forms, form.of)
    return found
