"""What crosses partitions: bytes that each stage shuffles, for each document of a job.

    python benchmarks/shuffles.py OUT

OUT is a finished job. Its exchanges and rounds are done again and every byte that is emitted is counted; only the
scratch folder is written, and removed.
"""

import argparse
import pickle
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from curate.job import open_job, read_recipe_of
from curate.stages import stages
from pipelines.frame import ledger, partitions
from pipelines.frame.engines.local import LocalEngine
from pipelines.frame.exchange import Emitting, Keyed, Merging, Plan
from pipelines.frame.stage import Job, Stage
from schemas.statuses import StageName


class CountingEngine(LocalEngine):
    """One worker, in this process; counts elements and bytes by the name of the exchange."""

    def __init__(self) -> None:
        super().__init__(1)
        self.elements: Counter[str] = Counter()
        self.bytes: Counter[str] = Counter()

    def exchange(self, plan: Plan) -> None:
        """As always, with everything counted that is emitted."""
        merges: list[Any] = [_Counted(merge, plan.name, self) for merge in plan.merges]
        emit: Any = _Counted(plan.emit, plan.name, self)
        super().exchange(replace(plan, emit=emit, merges=merges))


@dataclass
class _Counted:
    step: Emitting | Merging
    name: str
    into: CountingEngine

    def __call__(self, given: Any) -> Iterator[Keyed]:
        for key, packed in self.step(given):
            self.into.elements[self.name] += 1
            self.into.bytes[self.name] += len(packed)
            yield key, packed


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("job", metavar="OUT", help="a finished job")
    workspace = open_job(parser.parse_args().job)
    job = Job(workspace, read_recipe_of(workspace), tuple(partitions.load(workspace)))
    extracted = ledger.read_all(workspace, StageName.EXTRACT).values()
    documents = sum(record.tallies["documents"].out for record in extracted if "documents" in record.tallies)
    print(f"{documents} documents in {len(job.partitions)} partitions\n")
    print("| stage | exchanges | elements a partition | bytes a document |\n|---|---|---|---|")
    for stage in stages(job.recipe):
        if row := _row(stage, job, documents):
            print(row)


def _row(stage: Stage, job: Job, documents: int) -> str:
    engine = CountingEngine()
    stage.prepare(job, engine)
    stage.clean_up(job)
    for number, asked in enumerate(stage.rounds(job.recipe)):
        for partition in job.partitions:
            engine.elements[f"round {number}"] += 1
            engine.bytes[f"round {number}"] += len(pickle.dumps(asked.ask(job.workspace, partition, job.recipe, [{}])))
    if not engine.bytes:
        return ""
    elements = engine.elements.total() / len(job.partitions)
    names = ", ".join(f"{name} {size / documents:.0f}" for name, size in engine.bytes.items())
    return f"| `{stage.name}` | {names} | {elements:.1f} | {engine.bytes.total() / documents:.0f} |"


if __name__ == "__main__":
    main()
