"""What may be named as input and output, what is refused and in which words, and that secrets are never written."""

import gzip
import importlib.util
from collections.abc import Iterator
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path
from threading import Thread

import pytest
import s3fs

from curate.cli.main import main
from curate.errors import UserError
from curate.inputs import find_inputs
from pipelines.frame import partitions, storage
from pipelines.frame.stores import file_systems
from pipelines.frame.stores import objects as object_store
from pipelines.frame.stores.errors import StoreRefused, without_secrets
from pipelines.frame.stores.locations import Entry
from pipelines.frame.warc import Slice, read_records
from tests.archives import make_warc, pages
from tests.s3_store import check_credentials, environment, proxy, s3_server

CRAWLS = "s3://crawls"
SEGMENT = "crawl-data/CC-MAIN-2024-18/segments/1/warc"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with s3_server(tmp_path_factory.mktemp("s3"), "crawls", "commoncrawl") as endpoint:
        yield endpoint


@pytest.fixture
def store(server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A server that this process works with."""
    _use(server, monkeypatch)
    return server


def _use(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(endpoint).items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()  # they remember the endpoint that they were made with


def _put(path: str, content: bytes) -> str:
    local = object_store.stage(path)
    local.write_bytes(content)
    object_store.put(local, path)
    return path


def _publish(path: str, content: bytes) -> str:
    """Store a file that everybody may read, by HTTP too."""
    s3fs.S3FileSystem().pipe_file(path, content, ACL="public-read")
    return path


def _paths(patterns: list[str]) -> list[str]:
    return [file.path if isinstance(file, Entry) else file for file in find_inputs(patterns)]


# What may be named


def test_folders_globs_and_files_in_a_store_are_inputs(store: str) -> None:
    files = [_put(f"{CRAWLS}/named/{name}", b"x") for name in ("a.warc.gz", "b.warc", "notes.txt")]
    _put(f"{CRAWLS}/named/deeper/c.warc.gz", b"x")
    assert _paths([f"{CRAWLS}/named"]) == _paths([f"{CRAWLS}/named/"]) == files[:2]
    assert _paths([f"{CRAWLS}/named/*.gz", files[1], f"{CRAWLS}/named/?.warc.gz"]) == files[:2]
    assert _paths([f"{CRAWLS}/named/**/*.warc.gz"]) == [files[0], f"{CRAWLS}/named/deeper/c.warc.gz"]


def test_a_list_of_common_crawl_is_read_where_it_came_from(store: str, tmp_path: Path) -> None:
    keys = [f"{SEGMENT}/{n}.warc.gz" for n in (2, 1, 2)]
    content = gzip.compress("".join(f"{key}\n" for key in keys).encode())
    local = tmp_path / "warc.paths.gz"
    local.write_bytes(content)
    in_s3 = _publish("s3://commoncrawl/crawl-data/CC-MAIN-2024-18/warc.paths.gz", content)
    own = _put(f"{CRAWLS}/lists/some.paths", f"{SEGMENT}/1.warc.gz\n\n{CRAWLS}/own.warc.gz\n/disk/a.warc\n".encode())
    on_the_web = f"{store}/commoncrawl/crawl-data/CC-MAIN-2024-18/warc.paths.gz"
    for named, base in ((str(local), "https://data.commoncrawl.org"), (in_s3, "s3://commoncrawl"),
                        (on_the_web, "https://data.commoncrawl.org")):  # fmt: skip
        assert _paths([named]) == [f"{base}/{SEGMENT}/{n}.warc.gz" for n in (1, 2)]
    assert _paths([own]) == ["/disk/a.warc", f"s3://commoncrawl/{SEGMENT}/1.warc.gz", f"{CRAWLS}/own.warc.gz"]


def test_what_a_list_names_wrongly_is_said_with_its_line(store: str, tmp_path: Path) -> None:
    listed = tmp_path / "some.paths"
    listed.write_text(f"{SEGMENT}/1.warc.gz\nnext/door.warc.gz\n")
    with pytest.raises(UserError, match=r"some\.paths: line 2: 'next/door\.warc\.gz' is no URL"):
        find_inputs([str(listed)])
    missing = _put(f"{CRAWLS}/lists/missing.paths", f"{CRAWLS}/not-there.warc.gz\n".encode())
    with pytest.raises(FileNotFoundError, match=r"not-there\.warc\.gz"):
        partitions.plan(find_inputs([missing]), "auto")


def test_a_file_that_its_store_says_is_the_same_is_not_read_again(
    store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = Path(make_warc(tmp_path / "a.warc.gz", pages(30, size=10_000))).read_bytes()
    path = _put(f"{CRAWLS}/same/a.warc.gz", content)
    with proxy(store, tmp_path / "log") as counted:
        _use(counted.endpoint, monkeypatch)
        known = partitions.plan(find_inputs([path]), 20_000)
        first = counted.kinds()
        counted.forget()
        assert partitions.plan(find_inputs([path]), 20_000, known) == known and len(known) > 1
        assert (first["GET"], counted.kinds()) == (2, {"HEAD": 1})
        _put(path, content[:-1] + b"!")
        assert partitions.plan(find_inputs([path]), 20_000, known)[0].file_digest != known[0].file_digest


def test_a_warc_on_a_web_server_is_read_in_slices_though_the_server_is_busy_and_breaks_off(
    store: str, tmp_path: Path
) -> None:
    local = make_warc(tmp_path / "a.warc.gz", pages(40, size=30_000))
    _publish(f"{CRAWLS}/web/a.warc.gz", Path(local).read_bytes())
    with proxy(store, tmp_path / "log", slow_down=6, broken_body=4, reset=9) as stormy:
        url = f"{stormy.endpoint}/crawls/web/a.warc.gz"
        planned = partitions.plan(find_inputs([url]), 200_000)
        slices = [Slice(p.path, p.start, p.end, p.file_bytes) for p in planned]
        found = [item for part in slices for item in read_records(part, _everything)]
        assert {line["fault"] for line in stormy.seen()} == {None, "slow_down", "broken_body", "reset"}
    assert len(planned) > 3 and found == list(read_records(Slice(local), _everything))


def _everything(_kind: str, _head: object) -> int:
    return 1 << 20


class _WholeFiles(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Be quiet."""


def test_a_web_server_that_sends_whole_files_only_is_said_so(tmp_path: Path) -> None:
    make_warc(tmp_path / "a.warc.gz", pages(40, size=30_000))
    web = HTTPServer(("127.0.0.1", 0), partial(_WholeFiles, directory=str(tmp_path)))
    Thread(target=web.serve_forever, daemon=True).start()
    with pytest.raises(StoreRefused, match="sends no parts of files; download the file first"):
        partitions.plan(find_inputs([f"http://127.0.0.1:{web.server_port}/a.warc.gz"]), "auto")
    with pytest.raises(UserError, match="no such file"):
        find_inputs([f"http://127.0.0.1:{web.server_port}/b.warc.gz"])
    web.shutdown()


# What is refused


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("s3://nowhere/out", "there is no bucket nowhere"),
        ("s3://Not_A_Bucket!/out", "not a valid name of a bucket"),
        ("swift9://x/out", "swift9:// is not known; use a path, s3://, gs://"),
        ("simplecache::s3://crawls/out", "is not known"),
        ("https://example.org/out", "a web server takes no files"),
        (f"{CRAWLS}", "not empty, and not the output of a job"),
        ("s3://AKIDX:hidden/part@crawls/out", "s3://crawls/out: the URL holds a user name or a key"),
        ("s3://AKIDX:hidden@crawls/out", "s3://crawls/out: the URL holds a user name or a key"),
    ],
)
def test_an_output_that_cannot_be_used_is_one_line_and_nothing_is_written(
    store: str, capsys: pytest.CaptureFixture[str], output: str, said: str
) -> None:
    _put(f"{CRAWLS}/something/else", b"x")
    before = s3fs.S3FileSystem().find("crawls")
    assert main(["demo", output]) == 2
    line = capsys.readouterr().err
    assert line.startswith("curate: ") and line.count("\n") == 1
    assert said in line and "hidden" not in line
    assert s3fs.S3FileSystem().find("crawls") == before


@pytest.mark.parametrize(
    ("named", "said"),
    [
        (f"{CRAWLS}/none.warc.gz", "no such file"),
        (f"{CRAWLS}/none*.warc.gz", "no file matches"),
        ("s3://nowhere/a.warc.gz", "there is no bucket nowhere"),
        ("https://me:hidden@example.org/a.warc.gz", "https://example.org/a.warc.gz: the URL holds a user name"),
        ("https://example.org/a.warc.gz?X-Amz-Credential=a&X-Amz-Signature=hidden", "is signed, or holds a key"),
        ("https://example.org/a.warc.gz?AWSAccessKeyId=a&Signature=hidden&Expires=1", "is signed, or holds a key"),
        ("https://example.org/crawl/*.warc.gz", "web servers list no folders"),
    ],
)
def test_an_input_that_cannot_be_used_is_one_line_and_nothing_is_written(
    store: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, named: str, said: str
) -> None:
    assert main(["run", "default", "--input", named, "--output", str(tmp_path / "out")]) == 2
    line = capsys.readouterr().err
    assert line.startswith("curate: ") and line.count("\n") == 1
    assert said in line and "hidden" not in line
    assert not (tmp_path / "out").exists()


def test_credentials_that_are_wrong_or_not_there_are_said(
    store: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    check_credentials(store, "0")
    try:
        assert main(["demo", f"{CRAWLS}/out"]) == 2
    finally:
        check_credentials(store, "inf")
    assert "s3://crawls/out: the credentials are not valid (InvalidAccessKeyId" in capsys.readouterr().err
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    s3fs.S3FileSystem.clear_instance_cache()
    assert main(["status", f"{CRAWLS}/out"]) == 2
    assert ": no credentials (Unable to locate credentials): set AWS_PROFILE" in capsys.readouterr().err


def test_a_package_that_is_missing_is_named_with_what_installs_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "gcsfs" else find(name))
    assert main(["status", "gs://bucket/out"]) == 2
    assert "gs:// needs the package gcsfs: install curate[cloud]" in capsys.readouterr().err


def test_the_environment_says_where_a_store_is(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import fsspec

    _use(server, monkeypatch)
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setitem(fsspec.config.conf, "s3", {"endpoint_url": server, "config_kwargs": {"connect_timeout": 3}})
    file_systems._settings.cache_clear()
    try:
        fs, _ = file_systems.file_system(f"{CRAWLS}/x")
        assert (fs.endpoint_url, fs.config_kwargs["connect_timeout"], fs.config_kwargs["retries"]["mode"]) == (
            server, 3, "standard",
        )  # fmt: skip
        assert storage.exists(f"{CRAWLS}")
    finally:
        file_systems._settings.cache_clear()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("s3://bucket/a", "s3://bucket/a"),
        ("s3://bucket/a?.warc.gz", "s3://bucket/a?.warc.gz"),
        ("s3://bucket/a@b", "s3://bucket/a@b"),
        ("s3://K:a/b@bucket/a", "s3://bucket/a"),
        ("s3://arn:aws:s3:us-east-1:1:accesspoint/a/b", "s3://arn:aws:s3:us-east-1:1:accesspoint/a/b"),
        ("https://h:80/a@b", "https://h:80/a@b"),
        ("https://u@h/a?sig=1", "https://h/a"),
        ("/a/b@c", "/a/b@c"),
    ],
)
def test_a_url_is_shown_without_what_may_be_a_secret(url: str, shown: str) -> None:
    assert without_secrets(url) == shown
