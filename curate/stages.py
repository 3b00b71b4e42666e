"""The stages of a job in their order: the one list that `run` goes through and `status` reports."""

from pipelines.balance.stage import Balance
from pipelines.bootstrap.stage import Bootstrap
from pipelines.dedup_images.stage import DedupImages
from pipelines.dedup_semantic.stage import DedupSemantic
from pipelines.dedup_text.stage import DedupText
from pipelines.digest.stage import Digest
from pipelines.extract.stage import Extract
from pipelines.fetch.hosts import Hosts
from pipelines.fetch.stage import Fetch
from pipelines.frame.stage import Stage
from pipelines.measure.stage import Measure
from pipelines.ocr.stage import Ocr
from pipelines.pack.stage import Pack
from pipelines.score.stage import Score
from pipelines.select.stage import Select
from schemas.recipe import Recipe
from schemas.statuses import StageName


def stages(recipe: Recipe, workers: int = 1, until: StageName = StageName.PACK) -> list[Stage]:
    """The stages that a recipe asks for, up to one of them; `workers` of them run at the same time."""
    chain: list[Stage] = [
        Extract(), Digest(), DedupText(), Balance(), Hosts(), Fetch(workers), Measure(), Score(), Bootstrap(), Ocr(),
        DedupImages(), DedupSemantic(), Select(), Pack(),
    ]  # fmt: skip
    order = list(StageName)
    return [stage for stage in chain if stage.wanted(recipe) and order.index(stage.name) <= order.index(until)]
