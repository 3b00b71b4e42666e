"""The stages of a job in their order: the one list that `run` goes through and `status` reports."""

from pipelines.extract.stage import Extract
from pipelines.fetch.hosts import Hosts
from pipelines.fetch.stage import Fetch
from pipelines.frame.stage import Stage
from pipelines.measure.stage import Measure
from pipelines.pack.stage import Pack
from pipelines.select.stage import Select
from schemas.statuses import StageName


def stages(workers: int, until: StageName = StageName.PACK) -> list[Stage]:
    """Stages up to one of them; `workers` of them run at the same time."""
    chain: list[Stage] = [Extract(), Hosts(), Fetch(workers), Measure(), Select(), Pack()]
    names = [stage.name for stage in chain]
    return chain[: names.index(until) + 1]
