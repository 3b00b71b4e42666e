"""The ledger's record: written last, one for each stage and partition; what is not in the ledger did not happen."""

from pydantic import BaseModel, ConfigDict, Field

LEDGER_VERSION = 1


class Tally(BaseModel):
    """How many items of one kind came in, how many went on, and why the others did not: in = out + sum of reasons."""

    model_config = ConfigDict(extra="forbid")

    taken: int = Field(default=0, serialization_alias="in", validation_alias="in")
    out: int = 0
    reasons: dict[str, int] = {}

    @property
    def adds_up(self) -> bool:
        """Whether every item is accounted for."""
        return self.taken == self.out + sum(self.reasons.values())

    def keep(self, count: int = 1) -> None:
        """Count items that go on."""
        self.taken += count
        self.out += count

    def drop(self, reason: str, count: int = 1) -> None:
        """Count items that end here, with their reason."""
        self.taken += count
        self.reasons[reason] = self.reasons.get(reason, 0) + count

    def add(self, other: "Tally") -> None:
        """Add another partition's tally to this one."""
        self.taken += other.taken
        self.out += other.out
        for reason, count in other.reasons.items():
            self.reasons[reason] = self.reasons.get(reason, 0) + count


class Skip(BaseModel):
    """A stretch of a WARC file that could not be read: nothing is lost silently."""

    offset: int
    length: int
    reason: str


class Output(BaseModel):
    """A committed file, relative to the workspace, with the digest of its bytes and what it holds."""

    path: str
    bytes: int
    sha256: str
    counts: dict[str, int] = {}


class LedgerRecord(BaseModel):
    """One partition of one stage, done."""

    version: int = LEDGER_VERSION
    stage: str
    partition: int
    fingerprint: str
    tallies: dict[str, Tally] = {}
    outputs: list[Output] = []
    skips: list[Skip] = []
    seam: tuple[int, int] | None = Field(
        default=None, description="Where the first record of this slice begins, and the first one after it."
    )
    errors: int = 0
    seconds: float = 0.0
    bytes_in: int = 0

    @property
    def bytes_out(self) -> int:
        """Size of all outputs together."""
        return sum(output.bytes for output in self.outputs)

    @property
    def digest(self) -> str:
        """What downstream fingerprints take over: the digests of all outputs, in order."""
        return ",".join(f"{output.path}={output.sha256}" for output in self.outputs)
