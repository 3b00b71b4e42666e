"""Reads the bytes of stored images out of a workspace's image shards, each of which is opened once."""

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any, BinaryIO

from filters.image_header import Unusable
from pipelines.frame.storage import Workspace
from schemas.statuses import ImageStatus


class ImageFiles(ExitStack):
    """Bytes of images by their rows in the table `images`; cheapest in its order, which is that of the tar."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._open: dict[str, BinaryIO] = {}

    def read(self, row: Mapping[str, Any]) -> bytes | Unusable:
        """The bytes of a row's image, or that the shard does not hold all of them."""
        shard: str = row["shard"]
        if shard not in self._open:
            self._open[shard] = self.enter_context(self._workspace.open(shard))
        self._open[shard].seek(row["offset"])
        content = self._open[shard].read(row["length"])
        if len(content) < row["length"]:
            return Unusable(ImageStatus.UNDECODABLE, f"{shard} holds {len(content)} of {row['length']} bytes")
        return content
