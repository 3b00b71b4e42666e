"""The stages of a job in their order: the one list that `run` goes through and `status` reports."""

from pipelines.balance.stage import Balance
from pipelines.dedup_images.stage import DedupImages
from pipelines.dedup_text.stage import DedupText
from pipelines.digest.stage import Digest
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
    chain: list[Stage] = [
        Extract(), Digest(), DedupText(), Balance(), Hosts(), Fetch(workers), Measure(), DedupImages(), Select(),
        Pack(),
    ]  # fmt: skip
    names = [stage.name for stage in chain]
    return chain[: names.index(until) + 1]
