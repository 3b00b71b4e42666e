"""What other rules would keep of a job: its tables judged again in memory, by the job's rules and by changed ones."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from curate.errors import UserError
from curate.job import check_tables, read_recipe_of
from curate.recipes.reading import change_recipe
from filters.rules import Thresholds
from pipelines.frame import ledger, partitions
from pipelines.frame.partitions import Partition
from pipelines.frame.rounds import RoundFailed, conclusions
from pipelines.frame.storage import Workspace
from pipelines.select import inputs, pools
from pipelines.select.counting import Counts
from pipelines.select.judging import judge
from pipelines.select.stage import Select
from schemas.recipe import Recipe


@dataclass
class Outcome:
    """What a recipe keeps and drops."""

    recipe: Recipe
    thresholds: Thresholds
    counts: Counts = field(default_factory=Counts)


@dataclass(frozen=True)
class Comparison:
    """The outcome of the job's own recipe and of a changed one, over `judged` of the job's partitions."""

    before: Outcome
    after: Outcome
    judged: int
    partitions: int


def compare(workspace: Workspace, settings: Sequence[str]) -> Comparison:
    """Judge what is there by the job's recipe and by the same with `select.…=…` settings. Nothing is written.

    Raises:
        UserError: where a setting is wrong or not of select, or tables are missing or of another version.
    """
    recipe = read_recipe_of(workspace)
    changed = _changed(recipe, settings)
    check_tables(workspace, [read.name for read in Select().reads_under(changed)])
    planned = partitions.load(workspace)
    ready = _ready(workspace, planned, recipe)
    try:
        before, after = _judged(workspace, ready, recipe, changed)
    except (FileNotFoundError, RoundFailed) as error:
        raise UserError(f"{error}; curate run makes tables again that are missing") from error
    return Comparison(before, after, len(ready), len(planned))


def _judged(workspace: Workspace, ready: Sequence[Partition], recipe: Recipe, changed: Recipe) -> list[Outcome]:
    outcomes = [Outcome(rules, _thresholds(workspace, ready, rules)) for rules in (recipe, changed)]
    rules = [outcome.recipe.select for outcome in outcomes]
    for partition in ready:
        for batch in inputs.read(workspace, partition, recipe, rules):
            for outcome in outcomes:
                outcome.counts.add(judge(batch.evidence, outcome.recipe.select, outcome.thresholds))
    return outcomes


def _changed(recipe: Recipe, settings: Sequence[str]) -> Recipe:
    for setting in settings:
        if setting.partition("=")[0].strip().split(".")[0] != "select":
            raise UserError(
                f"--set {setting}: tune only judges again, so it changes nothing but select; "
                "for the rest there is curate run --set"
            )
    return change_recipe(recipe, settings)


def _ready(workspace: Workspace, planned: Sequence[Partition], recipe: Recipe) -> list[Partition]:
    """Partitions for which everything that select reads is there."""
    needed = {read.stage for read in Select().reads_under(recipe)}
    done = [set(ledger.partitions_in(workspace, stage)) for stage in needed]
    ready = [p for p in planned if all(p.partition in numbers for numbers in done)]
    if not ready:
        raise UserError(f"{workspace.root}: nothing to judge yet; curate run has to come as far as fetch first")
    return ready


def _thresholds(workspace: Workspace, ready: Sequence[Partition], recipe: Recipe) -> Thresholds:
    return pools.together(conclusions(pools.rounds(recipe.select), workspace, ready, recipe))
