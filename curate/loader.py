"""Reads shards for training: documents with their images, split over ranks and workers without overlap or loss.

Light on purpose: no Beam, no Arrow; torch only where it is installed, so that a DataLoader knows what it is given.
"""

import importlib.util
import io
import json
import os
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, cast

if TYPE_CHECKING:
    from PIL.Image import Image

Decode = Literal["rgb", "pil", "bytes"]


@dataclass
class Document:
    """One document: `texts` and `images` have equal length, and at each position exactly one of both is not None.

    Images are PIL images (`rgb`: converted; `pil`: as stored) or bytes, as `load` was asked for. `metadata` is
    parallel to `images`.
    """

    key: str
    texts: list[str | None]
    images: "list[Image | bytes | None]"
    metadata: list[dict[str, Any] | None] = field(default_factory=list)
    general_metadata: dict[str, Any] = field(default_factory=dict)

    def __iter__(self) -> "Iterator[str | Image | bytes]":
        """Texts and images in the order of the page."""
        for text, image in zip(self.texts, self.images, strict=True):
            yield text if text is not None else cast("Image | bytes", image)


class Documents:
    """An iterable of documents; iterating again starts again. In a DataLoader each worker yields its own share."""

    def __init__(
        self, shards: Sequence[str], decode: Decode = "rgb", rank: int | None = None, world_size: int | None = None
    ) -> None:
        self.shards = list(shards)
        self._decode, self._rank, self._world_size = decode, rank, world_size

    def __iter__(self) -> Iterator[Document]:
        index, count = self._share()
        if len(self.shards) >= count:
            for shard in self.shards[index::count]:
                yield from (self._document(*sample) for sample in _samples(shard, lambda _: True))
            return
        seen = 0
        for shard in self.shards:  # fewer shards than readers: each reads all headers, and every count-th sample
            for number, sample in enumerate(_samples(shard, lambda n, at=seen: (at + n) % count == index), seen):
                seen = number + 1
                if sample[1]:
                    yield self._document(*sample)

    def _share(self) -> tuple[int, int]:
        """Which share of all readers' work is ours, and of how many."""
        rank, world = _rank_and_world(self._rank, self._world_size)
        worker, workers = _worker_and_workers()
        return rank * workers + worker, world * workers

    def _document(self, key: str, members: dict[str, bytes]) -> Document:
        content = json.loads(members["json"])
        images = [self._image(members[part]) if part is not None else None for part in content["images"]]
        return Document(key, content["texts"], images, content["metadata"], content["general_metadata"])

    def _image(self, body: bytes) -> "Image | bytes":
        if self._decode == "bytes":
            return body
        from PIL import Image

        image = Image.open(io.BytesIO(body))
        if self._decode == "rgb":
            return image.convert("RGB")
        image.load()
        return image


def _samples(shard: str, wanted: Any) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Samples of a shard by key; the members of those not wanted, by their number, are skipped over and left out."""
    with _open(shard) as file, tarfile.open(fileobj=file, mode="r:") as tar:
        for number, (key, members) in enumerate(groupby(tar, key=lambda member: member.name.split(".", 1)[0])):
            if wanted(number):
                yield key, {m.name.split(".", 1)[1]: _content(tar, m) for m in members}
            else:
                yield key, {}


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    assert file is not None, f"{member.name} is not a file"
    return file.read()


def _open(path: str) -> IO[bytes]:
    if "://" not in path:
        return open(path, "rb")
    from pipelines.frame.storage import open_read

    return open_read(path)


def _rank_and_world(rank: int | None, world_size: int | None) -> tuple[int, int]:
    """What was said; else what torch.distributed knows; else the environment that launchers set; else one of one."""
    if rank is not None and world_size is not None:
        return rank, world_size
    if importlib.util.find_spec("torch"):
        import torch.distributed as dist

        if dist.is_available() and dist.is_initialized():
            return dist.get_rank(), dist.get_world_size()
    return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))


def _worker_and_workers() -> tuple[int, int]:
    if not importlib.util.find_spec("torch"):
        return 0, 1
    from torch.utils.data import get_worker_info

    info = get_worker_info()
    return (info.id, info.num_workers) if info is not None else (0, 1)


def find_shards(shards: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> list[str]:
    """Paths of shards from a shard, a glob, a folder of shards, a job's output folder, or several of these.

    Raises:
        FileNotFoundError: where a path names no shard.
    """
    several = [shards] if isinstance(shards, str | os.PathLike) else list(shards)
    return [found for path in several for found in _find(os.fspath(path))]


def _find(path: str) -> list[str]:
    if "://" in path:
        return _find_remote(path)
    folder = Path(path)
    if (folder / "shards").is_dir():
        folder = folder / "shards"
    if folder.is_dir():
        found = sorted(map(str, folder.glob("*.tar")))
    elif folder.is_file():
        found = [path]
    else:
        import glob

        found = sorted(glob.glob(path))
    if not found:
        raise FileNotFoundError(f"no shards at {path}: expected a .tar, a glob, a folder of shards or a job's output")
    return found


def _find_remote(path: str) -> list[str]:
    from pipelines.frame.storage import expand

    if path.endswith(".tar") and "*" not in path:
        return [path]
    found = expand(f"{path.rstrip('/')}/shards", (".tar",)) or expand(path, (".tar",))
    if not found:
        raise FileNotFoundError(f"no shards at {path}: expected a .tar, a glob, a folder of shards or a job's output")
    return [entry.path for entry in found]


def load(
    shards: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    decode: Decode = "rgb",
    rank: int | None = None,
    world_size: int | None = None,
) -> Documents:
    """Documents of shards, as an iterable that a PyTorch DataLoader splits over its workers.

    Args:
        shards: a shard, a glob, a folder of shards, a job's output folder, or several of these; local or a URL.
        decode: `rgb` for RGB PIL images, `pil` for PIL images as stored, `bytes` for the files' bytes.
        rank: this process among `world_size`; by default from torch.distributed or the environment.
        world_size: how many processes share the documents.

    Raises:
        FileNotFoundError: where there are no shards.

    Example:
        >>> loader = DataLoader(curate.load("out"), batch_size=8, num_workers=4, collate_fn=list)
    """
    found = find_shards(shards)
    if importlib.util.find_spec("torch"):
        from curate.torch_dataset import TorchDocuments

        return TorchDocuments(found, decode, rank, world_size)
    return Documents(found, decode, rank, world_size)
