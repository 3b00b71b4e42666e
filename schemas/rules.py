"""The rules of a recipe: bounds on signals, each checked against the registry before anything runs.

What they do to data is in `filters.rules`.
"""

from functools import partial
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from schemas.section import Section, nearest
from schemas.signals import SIGNALS, Signal, names
from schemas.statuses import Scope

Scalar = str | int | float | bool
_Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
_BOUNDS = ("min", "max", "in_", "not_in", "excludes", "keep_top")


class Bound(Section):
    """What a signal's value has to satisfy; all given bounds at once. `min` and `max` include their value."""

    signal: str
    min: _Number | None = None
    max: _Number | None = None
    in_: tuple[Scalar, ...] | None = Field(default=None, alias="in")
    not_in: tuple[Scalar, ...] | None = None
    excludes: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _can_be_satisfied(self) -> Self:
        given = {name: getattr(self, name) for name in type(self).model_fields if name in _BOUNDS}
        if all(bound is None for bound in given.values()):
            raise ValueError(f"a rule needs one of {', '.join(name.rstrip('_') for name in given)}")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}: nothing could pass")
        if self.in_ is not None and not self.in_:
            raise ValueError("in is empty: nothing could pass")
        return self


class Rule(Bound):
    """A bound that drops what does not satisfy it.

    `when` restricts the rule to items that satisfy another bound of the same scope. An item for which the signal could
    not be measured (null) is kept unless `missing` says drop.

    `keep_top` keeps the share of items with the highest values, of those in the whole corpus that pass every rule of
    their scope (and of the screen) that has another bound; what equals the last of them is kept too.
    """

    keep_top: _Number | None = None
    when: Bound | None = None
    missing: Literal["keep", "drop"] = "keep"

    @model_validator(mode="after")
    def _keeps_a_share(self) -> Self:
        if self.keep_top is not None and not 0 < self.keep_top <= 1:
            raise ValueError(
                f"keep_top is a share above 0 and up to 1, such as 0.7 for the top 70 %, not {self.keep_top:g}"
            )
        return self


def _known_signal(bound: Bound, scope: Scope, early: bool) -> Signal:
    signal = SIGNALS.get((scope, bound.signal))
    if signal is None:
        raise ValueError(f"unknown {scope} signal {bound.signal!r}; {nearest(bound.signal, names(scope))}")
    if early and not signal.early:
        raise ValueError(
            f"{scope} signal {signal.name!r} is not known before images are fetched; use it in select, "
            f"or one of {', '.join(names(scope, early_only=True))}"
        )
    return signal


def _check_bound(bound: Bound, scope: Scope, early: bool) -> None:
    signal = _known_signal(bound, scope, early)
    numeric = bound.min is not None or bound.max is not None
    if numeric and signal.kind != "number":
        raise ValueError(f"{signal.name} is text: bound it by in, not_in or excludes, not by min or max")
    if bound.excludes is not None and signal.kind != "text":
        raise ValueError(f"{signal.name} is a number: bound it by min, max, in or not_in, not by excludes")
    for value in (*(bound.in_ or ()), *(bound.not_in or ())):
        if isinstance(value, str) != (signal.kind == "text"):
            raise ValueError(f"{value!r} cannot be a value of {signal.name}, which is a {signal.kind}")
    if signal.unit in ("share", "probability") and ((bound.min or 0) > 1 or (bound.max is not None and bound.max < 0)):
        raise ValueError(f"{signal.name} is a {signal.unit} between 0 and 1: nothing could pass")
    if signal.kind == "number" and signal.unit != "cosine" and bound.max is not None and bound.max < 0:
        raise ValueError(f"{signal.name} is never negative: nothing could pass a max of {bound.max:g}")


def _check_rule(rule: Rule, *, scope: Scope, early: bool = False) -> Rule:
    for bound in (rule, rule.when):
        if bound is not None:
            _check_bound(bound, scope, early)
    if rule.keep_top is not None:
        _check_keep_top(rule, SIGNALS[scope, rule.signal], early)
    return rule


def _check_keep_top(rule: Rule, signal: Signal, early: bool) -> None:
    if signal.kind != "number":
        raise ValueError(f"{signal.name} is text and has no top: bound it by in, not_in or excludes, not by keep_top")
    if early:
        raise ValueError(
            f"keep_top needs the whole corpus, which screen does not wait for: use it in select, "
            f"or bound {rule.signal} by min here"
        )


NodeRule = Annotated[Rule, AfterValidator(partial(_check_rule, scope=Scope.NODE))]
ImageRule = Annotated[Rule, AfterValidator(partial(_check_rule, scope=Scope.IMAGE))]
DocumentRule = Annotated[Rule, AfterValidator(partial(_check_rule, scope=Scope.DOCUMENT))]
EarlyDocumentRule = Annotated[Rule, AfterValidator(partial(_check_rule, scope=Scope.DOCUMENT, early=True))]
