"""Checks shards as a reader would meet them: digests, names, JSON, and that every image decodes."""

import hashlib
import io
import json
import re
import tarfile
import warnings
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from jsonschema import Draft202012Validator
from PIL import Image

from pipelines.frame import fingerprints
from pipelines.frame.storage import file_name, local_copy
from schemas.sample import KEY_PATTERN, SAMPLE_SCHEMA

_VALIDATOR = Draft202012Validator(SAMPLE_SCHEMA)


@dataclass
class ShardReport:
    """What a shard holds and what is wrong with it."""

    shard: str
    counts: dict[str, int] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)
    sha256: str = ""
    problems: list[str] = field(default_factory=list)


def validate(shards: list[str], manifest: dict[str, Any] | None = None) -> list[ShardReport]:
    """A report on every shard; keys are compared across all of them, digests and counts with the manifest's."""
    with ProcessPoolExecutor() as pool:
        reports = list(pool.map(check_shard, shards)) if len(shards) > 1 else [check_shard(s) for s in shards]
    _check_keys(reports)
    if manifest is not None:
        _check_manifest(reports, manifest)
    return reports


def check_shard(path: str) -> ShardReport:
    """Read a shard from its first byte to its last."""
    report = ShardReport(path)
    counts: Counter[str] = Counter(samples=0, texts=0, images=0)
    try:
        with local_copy(path) as local:
            report.sha256 = fingerprints.of_file(local)
            with tarfile.open(local, "r:") as tar:
                for key, members in groupby(tar, key=lambda member: member.name.split(".", 1)[0]):
                    report.keys.append(key)
                    counts["samples"] += 1
                    wrong = _check_sample(tar, key, list(members), counts)
                    report.problems += [f"{key}: {problem}" for problem in wrong]
    except (OSError, tarfile.TarError) as error:
        report.problems.append(f"cannot be read: {error}")
    report.counts = dict(counts)
    return report


def _check_sample(
    tar: tarfile.TarFile, key: str, members: list[tarfile.TarInfo], counts: Counter[str]
) -> Iterator[str]:
    if not re.match(KEY_PATTERN, key):
        yield "the key is not 32 hex characters"
    contents = {m.name.split(".", 1)[-1]: file.read() for m in members if (file := tar.extractfile(m)) is not None}
    if len(contents) != len(members):
        yield "a part occurs twice"
    if members[0].name != f"{key}.json":
        yield f"does not begin with {key}.json"
        return
    try:
        described = json.loads(contents.pop("json"))
    except ValueError as error:
        yield f"its JSON cannot be read: {error}"
        return
    wrong = [error.message for error in _VALIDATOR.iter_errors(described)]
    yield from wrong
    if not wrong:
        counts["texts"] += sum(text is not None for text in described["texts"])
        counts["images"] += sum(part is not None for part in described["images"])
        yield from _check_nodes(key, described, contents)


def _check_nodes(key: str, described: dict[str, Any], parts: dict[str, bytes]) -> Iterator[str]:
    lists = [described[name] for name in ("texts", "images", "image_members", "metadata")]
    if len({len(values) for values in lists}) != 1:
        yield "texts, images, image_members and metadata differ in length"
        return
    for position, (text, part, member, metadata) in enumerate(zip(*lists, strict=True)):
        if (
            (text is None) == (part is None)
            or (part is None) != (metadata is None)
            or (part is None) != (member is None)
        ):
            yield f"position {position} is not exactly one of text and image"
        elif part is not None:
            yield from _check_image(f"{key}.{part}", member, metadata, parts.pop(part, None))
    yield from (f"{part} is named nowhere" for part in parts)


def _check_image(name: str, member: str, metadata: dict[str, Any], body: bytes | None) -> Iterator[str]:
    if member != name:
        yield f"{name} is called {member} in image_members"
    if body is None:
        yield f"{name} is missing"
        return
    if hashlib.sha256(body).hexdigest() != metadata["sha256"]:
        yield f"{name} is not the image whose SHA-256 its metadata has"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(body)) as image:
                image.load()
                size = image.size
    except Exception as error:  # noqa: BLE001 - a decoder may raise anything; here each is a finding
        yield f"{name} does not decode: {type(error).__name__}: {error}"
        return
    if size != (metadata["width"], metadata["height"]):
        yield f"{name} is {size[0]}x{size[1]}, its metadata say {metadata['width']}x{metadata['height']}"


def _check_keys(reports: list[ShardReport]) -> None:
    counted = Counter(key for report in reports for key in report.keys)
    for report in reports:
        report.problems += [f"{key}: the key occurs {counted[key]} times" for key in report.keys if counted[key] > 1]


def _check_manifest(reports: list[ShardReport], manifest: dict[str, Any]) -> None:
    listed = {shard["name"]: shard for shard in manifest["shards"]}
    for report in reports:
        entry = listed.pop(file_name(report.shard), None)
        if entry is None:
            report.problems.append("is not in the manifest")
        elif entry["sha256"] != report.sha256:
            report.problems.append("its SHA-256 is not the manifest's")
        elif any(entry[items] != count for items, count in report.counts.items()):
            report.problems.append("its counts are not the manifest's")
    for name in listed:
        reports.append(ShardReport(name, problems=["is in the manifest, but not there"]))
