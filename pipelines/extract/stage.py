"""The extract stage: a slice of a WARC to its documents, its PDFs and an index of its images."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from pipelines.frame import fingerprints
from pipelines.frame.partitions import Partition
from pipelines.frame.stage import Job, Stage
from pipelines.frame.task import Task
from schemas.ledger import LedgerRecord
from schemas.recipe import Recipe
from schemas.statuses import StageName


class SeamBroken(RuntimeError):
    """Two slices of one file do not meet: a record between them was read twice or not at all."""


class Extract(Stage):
    """documents, pdfs and warc_images from WARC records; each record is one of them or has a reason."""

    name: ClassVar[StageName] = StageName.EXTRACT
    writes: ClassVar[tuple[str, ...]] = ("documents", "pdfs", "warc_images")

    def settings(self, recipe: Recipe) -> dict[str, Any]:
        """The caps, and which models there are: of one that is trained again its bytes count."""
        model = recipe.extract.alignment_prior
        known = {"alignment_prior_model": fingerprints.of_file(Path(model))} if model else {}
        return recipe.extract.fingerprinted() | known

    def identity(self, partition: Partition) -> dict[str, Any]:
        """The bytes that are read."""
        return partition.identity

    def process(self, task: Task, known: Sequence[Any]) -> None:
        """Read the slice's records in their order and write what they are."""
        from pipelines.extract.extraction import extract_slice  # with parsers and models: only where they are needed

        extract_slice(task)

    def finish(self, job: Job, records: dict[int, LedgerRecord]) -> None:
        """Check that the slices of each file meet.

        Raises:
            SeamBroken: where they do not.
        """
        for before, after in zip(job.partitions, job.partitions[1:], strict=False):
            left, right = records[before.partition].seam, records[after.partition].seam
            if before.path == after.path and left and right and left[1] != right[0]:
                raise SeamBroken(
                    f"{before.path}: slice {before.partition} ends before the record at {left[1]}, slice "
                    f"{after.partition} begins with the record at {right[0]}; run with --set input.split_bytes=0"
                )
