"""What every part of a recipe is: checked, unchangeable, and with the part of it that decides what is written."""

import difflib
from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.config import JsonDict


class Section(BaseModel):
    """A part of the recipe: unknown keys are errors, values do not change once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True)

    def fingerprinted(self) -> dict[str, Any]:
        """The settings that decide what is written, as plain data; null ones are left out, so that one may be added."""
        operational = {n for n, f in type(self).model_fields.items() if (f.json_schema_extra or {}) == OPERATIONAL}
        return self.model_dump(mode="json", by_alias=True, exclude=operational, exclude_none=True)


OPERATIONAL: JsonDict = {"operational": True}


def nearest(word: str, known: list[str]) -> str:
    """A hint that names the valid word nearest to a wrong one, or else all of them."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(known)}"
