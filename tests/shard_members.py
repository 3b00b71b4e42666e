"""Members of a job's shards by name, with the digests of their contents."""

import hashlib
import tarfile
from pathlib import Path


def members(out: Path) -> dict[str, str]:
    """SHA-256 of every member of all shards; each name must occur once."""
    found: dict[str, str] = {}
    for shard in sorted((out / "shards").glob("*.tar")):
        with tarfile.open(shard) as tar:
            for member in tar:
                file = tar.extractfile(member)
                assert file is not None
                assert member.name not in found
                found[member.name] = hashlib.sha256(file.read()).hexdigest()
    return found
