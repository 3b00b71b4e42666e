"""The images that a partition wants: collected, then written in the order of their keys with what became of each."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from filters.urls import url_hash
from pipelines.fetch.collect import Collected, Collector, Spool, WarcImage
from pipelines.fetch.wanted import Wanted
from pipelines.frame import partitions, tables
from pipelines.frame.shards import ShardWriter
from pipelines.frame.task import Task
from schemas.sample import EXTENSIONS
from schemas.statuses import ImageStatus
from schemas.tables import FREQUENT_IMAGES, IMAGES, WARC_IMAGES

_STORED_FORMATS = {extension: name for name, extension in EXTENSIONS.items()}


def fetch_images(task: Task, wanted: Wanted, sharers: Mapping[str, int]) -> None:
    """Collect what is wanted and write it; `sharers`: for each host, how many workers may ask it at the same time."""
    urls = sorted(wanted.captions)
    frequent = _too_frequent(task)
    with Spool() as spool:
        collector = Collector(task, spool, sharers)
        rare = [url for url in urls if url not in frequent]
        collector.collect(rare, _held_by_warc(task) if task.recipe.extract.warc_images else {})
        _write(task, spool, urls, wanted, frequent | collector.results)


def _too_frequent(task: Task) -> dict[str, Collected]:
    """URLs that are not asked for, since too many documents show them."""
    rows = tables.read_table(task.workspace, FREQUENT_IMAGES, task.number).to_pylist()
    return {row["url"]: Collected(ImageStatus.TOO_FREQUENT, message=f"in {row['documents']} documents") for row in rows}


def _held_by_warc(task: Task) -> dict[str, WarcImage]:
    """Images in any slice of the partition's own file; of several captures of a URL the last one counts."""
    held = {}
    for sibling in partitions.slices_of_file(task.workspace, task.number):
        for row in tables.read_table(task.workspace, WARC_IMAGES, sibling.partition).to_pylist():
            held[row["url"]] = WarcImage(sibling.path, row["warc_offset"], row["record_url"])
    return held


def _write(task: Task, spool: Spool, urls: Sequence[str], wanted: Wanted, results: Mapping[str, Collected]) -> None:
    shard = f"images/{task.number:05d}.tar"
    tally = task.tally("images")
    failed = Collected(ImageStatus.ERROR, message="see the errors file")
    with ShardWriter(task.file(shard)) as tar, task.table(IMAGES) as table:
        for index, url in enumerate(urls):
            got = results.get(url, failed)
            if got is not failed:  # errors are counted where they are caught
                tally.keep() if got.status is ImageStatus.OK else tally.drop(got.status)
            row = _row(f"{task.number:05d}{index:05d}", url, wanted.captions[url], got)
            if got.place is not None:
                row |= _add_image(tar, row, got, spool.read(got.place), shard)
                task.bytes_in += got.place[1]
            table.write_rows([row])
    task.describe_output(shard, members=tar.members)


def _row(key: str, url: str, caption: str | None, got: Collected) -> dict[str, Any]:
    facts, size = got.facts, got.size or (None, None)
    return {
        "key": key, "url": url, "url_hash": url_hash(url), "caption": caption,
        "status": got.status.value, "error_message": got.message, "source": got.source,
        "http_status": got.response.http_status, "final_url": got.response.final_url, "sha256": got.sha256,
        "phash": facts.phash if facts else None, "width": size[0], "height": size[1],
        "original_width": facts.width if facts else None, "original_height": facts.height if facts else None,
        "format": _STORED_FORMATS.get(got.extension or ""), "frames": facts.frames if facts else None,
        "bytes": got.place[1] if got.place else None, "robots_allowed": got.asked.robots_allowed,
        "directives": got.said.directives, "tdm_reserved": got.said.tdm_reserved,
    }  # fmt: skip


def _add_image(tar: ShardWriter, row: dict[str, Any], got: Collected, content: bytes, shard: str) -> dict[str, Any]:
    """Write an image with its caption and JSON, the members that img2dataset writes; where it came to lie."""
    offset = tar.add(f"{row['key']}.{got.extension}", content)
    if row["caption"]:
        tar.add(f"{row['key']}.txt", row["caption"].encode("utf-8", "replace"))
    names = (
        "url",
        "caption",
        "key",
        "error_message",
        "width",
        "height",
        "original_width",
        "original_height",
        "sha256",
    )
    described = {**{name: row[name] for name in names}, "status": "success"}
    tar.add(f"{row['key']}.json", json.dumps(described, sort_keys=True).encode())
    return {"shard": shard, "offset": offset, "length": len(content)}
