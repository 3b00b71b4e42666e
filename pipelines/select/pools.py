"""What keep_top rules come to: rounds over all partitions that sketch the values of which the top is kept.

Node and image rules share the first round: the pool of each is what passes the other bounds of its scope. Document
rules judge what nodes and images left, so theirs is a second one, with the thresholds of the first.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from filters import quantiles
from filters.quantiles import Sketch
from filters.rules import Threshold, Thresholds, concerned_by, numbers, passed
from pipelines.frame.partitions import Partition
from pipelines.frame.rounds import Round
from pipelines.frame.storage import Workspace
from pipelines.select import inputs
from pipelines.select.judging import Judgement, judge
from schemas.recipe import Recipe, SelectRules
from schemas.rules import Rule
from schemas.statuses import Scope

Place = tuple[Scope, int]
Pools = Mapping[Place, Sketch]


@dataclass(frozen=True)
class PoolRound(Round):
    """Sketches of the pools of some scopes; concluded, the thresholds of their keep_top rules."""

    scopes: tuple[Scope, ...]

    def ask(self, workspace: Workspace, partition: Partition, recipe: Recipe, earlier: Sequence[Thresholds]) -> Pools:
        """The pools of a partition."""
        known = together(earlier)
        return self.merge(
            self.pools(judge(batch.evidence, recipe.select, known), recipe.select)
            for batch in inputs.read(workspace, partition, recipe)
        )

    def pools(self, judged: Judgement, rules: SelectRules) -> Pools:
        """The pools of a batch that was judged without the thresholds that are sought."""
        return {
            (scope, place): _pool(rule, scope, judged)
            for scope in self.scopes
            for place, rule in _keep_top_rules(rules, scope)
        }

    def merge(self, answers: Iterable[Pools]) -> Pools:
        """Pools of the same rules together."""
        parts: dict[Place, list[Sketch]] = {}
        for answer in answers:
            for place, held in answer.items():
                parts.setdefault(place, []).append(held)
        return {place: quantiles.merged(held) for place, held in parts.items()}

    def conclude(self, merged: Pools, recipe: Recipe) -> Thresholds:
        """The thresholds of the scopes' rules, also where no partition had anything."""
        nothing = quantiles.merged(())
        return {
            (scope, place): _threshold(rule, merged.get((scope, place), nothing))
            for scope in self.scopes
            for place, rule in _keep_top_rules(recipe.select, scope)
        }


def rounds(rules: SelectRules) -> tuple[PoolRound, ...]:
    """The rounds that the rules need; none without keep_top."""
    early = tuple(scope for scope in (Scope.NODE, Scope.IMAGE) if any(_keep_top_rules(rules, scope)))
    late = tuple(scope for scope in (Scope.DOCUMENT,) if any(_keep_top_rules(rules, scope)))
    return tuple(PoolRound(scopes) for scopes in (early, late) if scopes)


def together(conclusions: Iterable[Thresholds]) -> Thresholds:
    """The thresholds of several rounds."""
    return {place: threshold for known in conclusions for place, threshold in known.items()}


def _keep_top_rules(rules: SelectRules, scope: Scope) -> Iterator[tuple[int, Rule]]:
    of_scope: Sequence[Rule] = getattr(rules, scope)
    return ((place, rule) for place, rule in enumerate(of_scope) if rule.keep_top is not None)


def _pool(rule: Rule, scope: Scope, judged: Judgement) -> Sketch:
    columns = judged.columns[scope]
    among = passed(judged.failures[scope], judged.candidates(scope))
    return quantiles.sketch(numbers(columns[rule.signal])[concerned_by(rule, columns, among)])


def _threshold(rule: Rule, pool: Sketch) -> Threshold:
    least = quantiles.top_threshold(pool, rule.keep_top or 1.0)
    return Threshold(least, pool.total, 0 if least is None else quantiles.count_from(pool, least))
