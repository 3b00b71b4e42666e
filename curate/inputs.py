"""Finds the WARC files that a person named: by path, folder, glob or URL, or in a list such as Common Crawl's."""

from collections.abc import Iterator, Sequence

from curate.errors import UserError
from pipelines.frame import storage
from pipelines.frame.stores.locations import Entry, scheme_of

_LISTS = (".paths", ".paths.gz")
# What Common Crawl's lists hold are keys: https://commoncrawl.org/get-started
_CRAWL_KEYS = ("crawl-data/", "contrib/", "projects/")
_CRAWL_BUCKET, _CRAWL_SITE = "s3://commoncrawl/", "https://data.commoncrawl.org/"


def find_inputs(patterns: Sequence[str]) -> list[Entry | str]:
    """Files that paths, globs and lists name, each once, sorted. Those of lists are not looked at yet.

    Raises:
        UserError: where there is no pattern, or one that names nothing.
    """
    if not patterns:
        raise UserError("no inputs: give --input WARC (a path, folder, glob, URL or list), or inputs in the recipe")
    found: dict[str, Entry | str] = {}
    for pattern in patterns:
        for file in _found_by(pattern):
            found.setdefault(_path(file), file)
    return sorted(found.values(), key=_path)


def _path(file: Entry | str) -> str:
    return file if isinstance(file, str) else file.path


def _found_by(pattern: str) -> Sequence[Entry | str]:
    matches = storage.expand(pattern)
    if not matches:
        raise UserError(f"--input {pattern}: no such file, no folder with WARC or ARC files, and no file matches")
    return [file for match in matches for file in (_listed(match.path) if _is_list(match) else [match])]


def _is_list(file: Entry) -> bool:
    return file.path.endswith(_LISTS)


def _listed(path: str) -> Iterator[str]:
    """Files of a list, one a line. Common Crawl's keys are read where the list came from: S3, or else the web."""
    crawl = _CRAWL_BUCKET if scheme_of(path) == "s3" else _CRAWL_SITE
    for number, line in enumerate(storage.lines_in(path), 1):
        if scheme_of(line) or line.startswith("/"):
            yield line
        elif line.startswith(_CRAWL_KEYS):
            yield f"{crawl}{line}"
        elif line:
            raise UserError(
                f"--input {path}: line {number}: {line!r} is no URL, no absolute path, and no key of Common Crawl "
                f"(crawl-data/…)"
            )
