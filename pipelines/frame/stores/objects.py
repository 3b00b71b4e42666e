"""Files in an object store or on a web server, by fsspec, with as few requests as each thing needs.

There is no rename: a file is staged on local disk and put under its name, whole or not at all.
"""

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

from pipelines.frame.stores import scratch
from pipelines.frame.stores.errors import StoreRefused, code_of, in_words, no_bucket
from pipelines.frame.stores.file_systems import file_system
from pipelines.frame.stores.locations import Entry, file_name, is_web, scheme_of
from pipelines.frame.stores.ranged import BLOCK, ranged

# Larger files go up in parts, two at a time: 64 MiB are in memory at most. S3 takes 10,000 parts; parts for GCS are
# multiples of 256 KiB.
_PART = 32 << 20
_MOST_PARTS = 10_000
_MEBI = 1 << 20


def open_read(path: str, size: int | None = None, span: tuple[int, int] | None = None) -> BinaryIO:
    """A file for reading and seeking; without a `size` it is taken to be read from its beginning to its end.

    Raises:
        FileNotFoundError: where there is none.
    """
    if size is not None:
        return ranged(lambda start, end: read_range(path, start, end), size, span)
    head = read_range(path, 0, BLOCK)
    if len(head) < BLOCK:
        return io.BytesIO(head)
    size = describe(path).size
    return ranged(lambda start, end: read_range(path, start, end), size, (0, size), head)


def read_range(path: str, start: int, end: int) -> bytes:
    """Bytes of a file; fewer where it ends before."""
    with in_words(path):
        if is_web(path):
            from pipelines.frame.stores.web import web_range

            return web_range(path, start, end)
        fs, name = file_system(path)
        try:
            return bytes(fs.cat_file(name, start=start, end=end))
        except OSError as error:
            if code_of(error) in ("InvalidRange", "416"):
                return b""  # of an empty file no range can be had
            raise


def describe(path: str) -> Entry:
    """What is known of a file or folder.

    Raises:
        FileNotFoundError: where there is neither.
    """
    with in_words(path):
        if is_web(path):
            from pipelines.frame.stores.web import web_size

            return Entry(path, *web_size(path))
        fs, name = file_system(path)
        try:
            return _entry(path, fs.info(name))
        except PermissionError:
            fs.ls(name)  # the answer to HEAD has no words; the one to a listing says what is wrong
            raise
        except FileNotFoundError:
            # S3 says which of the two is missing.
            if scheme_of(path) in ("gs", "gcs") and not fs.exists(name.split("/", 1)[0]):
                raise no_bucket(path) from None
            raise


def entries(folder: str) -> list[Entry]:
    """Files and folders directly in a folder.

    Raises:
        FileNotFoundError: where there is nothing.
    """
    with in_words(folder):
        fs, name = _listable(folder)
        listed = _pages(fs, name) if hasattr(fs, "call_s3") else fs.ls(name, detail=True)
        inside = [found for found in listed if found["name"].rstrip("/") != name.rstrip("/")]
        return [_entry(f"{folder.rstrip('/')}/{file_name(found['name'])}", found) for found in inside]


def matching(pattern: str) -> list[Entry]:
    """Files that a glob matches."""
    with in_words(pattern):
        fs, name = _listable(pattern)
        found = fs.glob(name, detail=True)
        listed = [_entry(f"{scheme_of(pattern)}://{path.lstrip('/')}", info) for path, info in found.items()]
        return [entry for entry in listed if not entry.is_folder]


def bytes_in(folder: str) -> int:
    """Size of all files in a folder and its folders."""
    with in_words(folder):
        return sum(int(info["size"]) for info in _all_files(*file_system(folder)))


def remove(path: str) -> None:
    """Remove a file, if it is there."""
    with in_words(path), contextlib.suppress(FileNotFoundError):
        fs, name = file_system(path)
        fs.rm_file(name)


def remove_folder(path: str) -> None:
    """Remove a folder and all that is in it, if it is there."""
    with in_words(path):
        fs, name = file_system(path)
        files = [info["name"] for info in _all_files(fs, name)]
        if files:
            fs.rm(files)


def stage(path: str) -> Path:
    """A local path for what `put` will take."""
    return scratch.folder() / f"{uuid4().hex}-{file_name(path)}"


def put(local: Path, path: str) -> None:
    """Store a local file under a name, in the place of what has that name."""
    with in_words(path):
        fs, name = file_system(path)
        part = max(_PART, -(-local.stat().st_size // (_MOST_PARTS * _MEBI)) * _MEBI)
        fs.put_file(str(local), name, chunksize=part, max_concurrency=2)


def create(path: str, content: bytes) -> bool:
    """Store a small file unless there is one of that name: whether it was stored.

    A store that offers no such condition replaces what is there.
    """
    with in_words(path):
        fs, name = file_system(path)
        try:
            fs.pipe_file(name, content, mode="create")
        except FileExistsError:
            return False
        except OSError as error:
            if code_of(error) in ("PreconditionFailed", "412", "ConditionalRequestConflict", "409"):
                return False
            if code_of(error) not in ("NotImplemented", "501"):
                raise
            fs.pipe_file(name, content)
        return True


def remove_leftovers(folder: str) -> None:
    """End uploads in parts that a killed process left half-done: nobody sees them, and they cost what files cost."""
    fs, name = file_system(folder)
    if not hasattr(fs, "call_s3"):
        return  # elsewhere they vanish by themselves after a week
    bucket, prefix, _ = fs.split_path(f"{name}/")
    with contextlib.suppress(OSError):  # without the right to list uploads they stay
        for upload in _uploads(fs, bucket, prefix):
            fs.call_s3("abort_multipart_upload", Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])


def _uploads(fs: Any, bucket: str, prefix: str) -> Iterator[dict[str, Any]]:
    yield from fs.call_s3("list_multipart_uploads", Bucket=bucket, Prefix=prefix).get("Uploads", [])


def _all_files(fs: Any, name: str) -> list[dict[str, Any]]:
    """Files in a folder and its folders."""
    return [*(_pages(fs, name, "") if hasattr(fs, "call_s3") else fs.find(name, detail=True).values())]


def _pages(fs: Any, name: str, delimiter: str = "/") -> Iterator[dict[str, Any]]:
    """What is in a folder of S3. Where that is nothing, s3fs would ask for the folder around it too."""
    bucket, prefix, _ = fs.split_path(f"{name}/")
    more: dict[str, str] = {}
    while True:
        page = fs.call_s3("list_objects_v2", Bucket=bucket, Prefix=prefix, Delimiter=delimiter, **more)
        for folder in page.get("CommonPrefixes", []):
            yield {"name": folder["Prefix"].rstrip("/"), "type": "directory"}
        for file in page.get("Contents", []):
            yield {"name": f"{bucket}/{file['Key']}", "type": "file", "size": file["Size"], "ETag": file["ETag"]}
        if not page.get("IsTruncated"):
            return
        more = {"ContinuationToken": page["NextContinuationToken"]}


def _listable(path: str) -> tuple[Any, str]:
    if is_web(path):
        raise StoreRefused(f"{path}: web servers list no folders; name each file, or a list of them (warc.paths.gz)")
    return file_system(path)


def _entry(path: str, info: dict[str, Any]) -> Entry:
    """By `version` a file is known to be the same still: S3 and GCS give another one for every content."""
    version = info.get("ETag") or info.get("etag") or None
    return Entry(path, int(info.get("size") or 0), version, info["type"] == "directory")
