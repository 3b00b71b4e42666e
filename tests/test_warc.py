"""Reading WARC and ARC files: each record exactly once in slices of any size, and every damaged stretch said."""

import gzip
import random
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
import zstandard
from fastwarc.warc import ArchiveIterator as FastIterator
from warcio.archiveiterator import ArchiveIterator as WarcioIterator

from pipelines.frame.http_message import HttpHead
from pipelines.frame.warc import Archive, Record, Slice, read_records
from schemas.ledger import Skip
from schemas.statuses import SkipReason
from tests import archives
from tests.archives import make_arc, make_warc, offsets, page, pages, read_by_warcio, record, response
from tests.corpora import corpora, files_in

_ALL = 1 << 24
NOISE = random.Random(7).randbytes(500)
Squeeze = Callable[[bytes], bytes]
gzip_and_plain = pytest.mark.parametrize("compressed", [True, False], ids=["gzip", "plain"])
as_a_whole = pytest.mark.parametrize("squeeze", [gzip.compress, zstandard.compress], ids=["gzip", "zstd"])


def read(path: str, start: int = 0, end: int | None = None, cap: int = _ALL) -> tuple[list[Record | Skip], Slice]:
    part = Slice(path, start, end)
    return list(read_records(part, lambda _kind, _head: cap)), part


def records_in(items: Iterable[Record | Skip]) -> list[Record]:
    return [item for item in items if isinstance(item, Record)]


def skips_in(items: Iterable[Record | Skip]) -> list[tuple[int, int, str]]:
    return [(item.offset, item.length, item.reason) for item in items if isinstance(item, Skip)]


def numbers(items: Iterable[Record | Skip]) -> list[int]:
    """Which of `pages` were read whole."""
    whole = [item for item in records_in(items) if item.url[14:].isdigit() and not item.truncated]
    return [int(item.url[14:]) for item in whole if item.payload == page(int(item.url[14:]))]


def skipped(path: str, items: Iterable[Record | Skip]) -> list[bytes]:
    """What skips cover, but for the blank lines that may count to the record before."""
    data = Path(path).read_bytes()
    return [data[offset : offset + length].strip() for offset, length, _ in skips_in(items)]


def of_all_types(compressed: bool) -> list[bytes]:
    kinds = ("warcinfo", "request", "metadata", "resource", "revisit", "conversion", "continuation")
    return [
        *(record(kind, f"http://a.test/{kind}", b"a block\r\n", compressed=compressed) for kind in kinds),
        *pages(3, compressed=compressed),
        response("http://a.test/missing", b"not here", status="404 Not Found", compressed=compressed),
        response("http://a.test/large", page(9, 200_000), compressed=compressed),
        response("http://a.test/empty", b"", compressed=compressed),
    ]


@gzip_and_plain
def test_records_of_a_healthy_file_are_those_that_warcio_reads(tmp_path: Path, compressed: bool) -> None:
    path = make_warc(tmp_path / "a.warc", of_all_types(compressed))
    items, part = read(path)
    found = [(r.type, r.url, r.offset, r.payload) for r in records_in(items)]
    assert found == read_by_warcio(path)
    assert not skips_in(items) and part.seam == (0, Path(path).stat().st_size)


@gzip_and_plain
@pytest.mark.parametrize("behind", [0, 1], ids=["last in the file", "not last"])
def test_a_page_that_quotes_a_record_adds_none(tmp_path: Path, compressed: bool, behind: int) -> None:
    quote = b"<pre>\nWARC/1.0\r\nWARC-Type: response\r\nContent-Length: 0\r\n\r\n\r\n\r\n</pre>"
    quoting = response("http://a.test/about-warcs", quote, compressed=compressed)
    path = make_warc(tmp_path / "a.warc", [quoting, *pages(behind, compressed=compressed)])
    items, _ = read(path)
    assert [(r.url, r.payload) for r in records_in(items)] == [(url, body) for _, url, _, body in read_by_warcio(path)]


@as_a_whole
def test_a_file_compressed_as_a_whole_gives_the_records_of_the_plain_one(tmp_path: Path, squeeze: Squeeze) -> None:
    plain = of_all_types(compressed=False)
    expected = [(kind, url, body) for kind, url, _, body in read_by_warcio(make_warc(tmp_path / "plain.warc", plain))]
    items, _ = read(make_warc(tmp_path / "a.warc", [squeeze(b"".join(plain))]))
    assert [(r.type, r.url, r.payload) for r in records_in(items)] == expected and not skips_in(items)


def in_slices(path: str, bounds: Iterable[int]) -> tuple[list[Record | Skip], bool]:
    """All items that slices between the bounds give, and whether the slices meet."""
    parts = [read(path, start, end) for start, end in pairwise(bounds)]
    seams = [part.seam or (-1, -1) for _, part in parts]
    meet = all(before[1] == after[0] for before, after in pairwise([(0, 0), *seams, (seams[-1][1], 0)]))
    return [item for items, _ in parts for item in items], meet and seams[-1][1] == Path(path).stat().st_size


def test_slices_cut_anywhere_read_each_record_once_and_meet(tmp_path: Path) -> None:
    members = [*pages(2, size=900), record("request", "http://a.test/r"), *pages(4, size=2500)[2:]]
    path, size = make_warc(tmp_path / "a.warc.gz", members), sum(map(len, members))
    near = {at + d for at in offsets(members)[1:] for d in (-1, 0, 1)}
    for cut in sorted(near | set(range(1, size, 7))):
        assert in_slices(path, (0, cut, size)) == (read(path)[0], True), cut


@pytest.mark.parametrize("step", [50, 333, 1800, 5000])
def test_slices_of_a_damaged_file_give_its_records_and_its_skip_once_and_meet(tmp_path: Path, step: int) -> None:
    damaged = pages(9)
    damaged[4] = NOISE + damaged[4][500:]
    path, size = make_warc(tmp_path / "a.warc.gz", damaged), sum(map(len, damaged))
    items, meet = in_slices(path, [*range(0, size, step), size])
    assert numbers(items) == [0, 1, 2, 3, 5, 6, 7, 8] and items == read(path)[0] and meet


def test_an_archive_inside_an_archive_never_goes_unnoticed_when_a_slice_begins_in_it(tmp_path: Path) -> None:
    inner = b"".join(response(f"http://b.test/{n}", page(n)) for n in range(3))
    stored = gzip.compress(response("http://a.test/inner.warc.gz", inner, compressed=False), compresslevel=0)
    members = [*pages(2), stored, *pages(4)[2:]]
    path, size = make_warc(tmp_path / "a.warc.gz", members), sum(map(len, members))
    cuts = [in_slices(path, (0, cut, size)) for cut in range(1, size, 97)]
    assert all(items == read(path)[0] or not meet for items, meet in cuts)
    assert not all(meet for _, meet in cuts), "the inner file lies there as it is, so some slice must have found it"


DAMAGES: dict[str, Squeeze] = {
    "clipped": lambda member: member[: len(member) // 2],
    "cut down to its head": lambda member: member[:25],
    "garbled at its head": lambda member: member[:12] + NOISE[:80] + member[92:],
    "garbled in the middle": lambda member: member[:900] + NOISE[:60] + member[960:],
    "of a wrong checksum": lambda member: member[:-8] + b"oops" + member[-4:],
    "without its magic number": lambda member: b"XX" + member[2:],
    "without its gzip header": lambda member: member[10:],
    "all noise": lambda member: NOISE,
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("place", [1, 4])
def test_a_damaged_member_is_one_skip_and_all_others_are_read(tmp_path: Path, damage: str, place: int) -> None:
    members = pages(5)
    members[place] = DAMAGES[damage](members[place])
    items, part = read(make_warc(tmp_path / "a.warc.gz", members))
    lost = (offsets(members)[place], len(members[place]), SkipReason.DAMAGED_GZIP)
    if place == 4 and not skips_in(items):  # at a file's end the rest may have been read as a record that says so
        assert records_in(items)[-1].truncated and records_in(items)[-1].offset == lost[0]
    else:
        assert skips_in(items) == [lost]
    assert numbers(items) == [n for n in range(5) if n != place]
    assert part.seam == (0, sum(map(len, members)))


@gzip_and_plain
@pytest.mark.parametrize("place", [0, 2, 5], ids=["before the first record", "between records", "behind the last"])
def test_garbage_is_a_skip_of_exactly_its_length(tmp_path: Path, compressed: bool, place: int) -> None:
    records = pages(5, compressed=compressed)
    records.insert(place, b"garbage " * 40 + b"\n")
    path = make_warc(tmp_path / "a.warc", records)
    items, _ = read(path)
    assert numbers(items) == [0, 1, 2, 3, 4] and skipped(path, items) == [records[place].strip()]


@pytest.mark.parametrize("cap", [0, _ALL], ids=["heads only", "with payloads"])
@pytest.mark.parametrize("first", [1, 3], ids=["inside", "at the end"])
def test_a_hole_over_two_members_is_said_up_to_the_next_record(tmp_path: Path, cap: int, first: int) -> None:
    members = pages(5, size=200_000)
    at = offsets(members)[first + 1]
    holed = bytearray(b"".join(members))
    holed[at - 3000 : at + 300] = bytes(3300)
    items, _ = read(make_warc(tmp_path / "a.warc.gz", [bytes(holed)]), cap=cap)
    after = [*offsets(members), len(holed)][first + 2]
    assert any(offset <= at and offset + length == after for offset, length, _ in skips_in(items))
    others = {f"http://a.test/{n}" for n in range(5) if n not in (first, first + 1)}
    assert others <= {item.url for item in records_in(items)}


@as_a_whole
def test_what_lies_behind_damage_in_a_file_compressed_as_a_whole_is_said(tmp_path: Path, squeeze: Squeeze) -> None:
    data = squeeze(b"".join(pages(8, compressed=False, size=200_000)))
    middle = len(data) // 2
    items, _ = read(make_warc(tmp_path / "a.warc", [data[:middle], data[middle + 700 :]]))
    assert 1 <= len(records_in(items)) < 8
    assert [offset + length for offset, length, _ in skips_in(items)] == [len(data) - 700]


@gzip_and_plain
def test_a_file_cut_short_gives_all_whole_records_and_says_that_one_is_cut(tmp_path: Path, compressed: bool) -> None:
    members, unsaid = pages(3, compressed=compressed), []
    data, last = b"".join(members), offsets(members)[2]
    for cut in range(last + 1, len(data) - 40, 23):
        items, part = read(make_warc(tmp_path / "a.warc", [data[:cut]]))
        assert numbers(items) == [0, 1] and part.seam == (0, cut)
        if not skips_in(items) and not any(item.truncated for item in records_in(items)):
            unsaid.append(cut - last)
    assert not unsaid, "the last record is cut after so many bytes, but nothing says so"


@pytest.mark.parametrize("too_much", [1, 500, 4000, 9000, 10**9])
def test_a_length_that_is_too_long_costs_no_other_record(tmp_path: Path, too_much: int) -> None:
    records = pages(5, compressed=False)
    records[1] = archives.with_length(records[1], too_much)
    items, _ = read(make_warc(tmp_path / "a.warc", records))
    assert [item.url[14:] for item in records_in(items)] == ["0", "1", "2", "3", "4"]
    assert [n for n in numbers(items) if n != 1] == [0, 2, 3, 4]


@gzip_and_plain
def test_bytes_of_the_next_record_never_pass_for_a_page(tmp_path: Path, compressed: bool) -> None:
    records = pages(5, compressed=False)
    records[1] = archives.with_length(records[1], 2000)
    items, _ = read(make_warc(tmp_path / "a.warc", map(gzip.compress, records) if compressed else records))
    passed = [item.offset for item in records_in(items) if b"WARC/1.0" in item.payload and not item.truncated]
    assert not passed, "its payload holds the head of another record, and it is not marked as damaged"


@pytest.mark.parametrize("too_little", [1, 10, 700])
def test_what_a_length_that_is_too_short_leaves_over_is_a_skip(tmp_path: Path, too_little: int) -> None:
    records = pages(5, compressed=False)
    records[1] = archives.with_length(records[1], -too_little)
    path = make_warc(tmp_path / "a.warc", records)
    items, _ = read(path)
    assert numbers(items) == [0, 2, 3, 4] and skipped(path, items) == [records[1].strip()[-too_little:]]


@pytest.mark.parametrize("content", [b"", b"\r\n\r\n"], ids=["no bytes", "blank lines"])
def test_a_file_without_content_has_no_records(tmp_path: Path, content: bytes) -> None:
    items, part = read(make_warc(tmp_path / "a.warc.gz", [content]))
    assert not records_in(items) and part.seam == (0, len(content))


@pytest.mark.parametrize(
    "content", [b"no archive at all " * 90, b"<html>WARC/1.0\r\n</html>", NOISE, gzip.compress(b"a text " * 99)]
)
def test_a_file_that_is_no_archive_is_one_skip_that_says_so(tmp_path: Path, content: bytes) -> None:
    items, _ = read(make_warc(tmp_path / "a.warc.gz", [content]))
    assert not records_in(items) and skips_in(items) == [(0, len(content), SkipReason.NOT_AN_ARCHIVE)]


@pytest.mark.parametrize("cap", [1, 100, 2999, 70_000, 120_000])
def test_no_more_of_a_payload_is_read_than_shows_that_it_exceeds_its_cap(tmp_path: Path, cap: int) -> None:
    bodies = [b"x" * (cap - 1), b"x" * cap, b"x" * (cap + 1), b"x" * (cap * 3)]
    path = make_warc(tmp_path / "a.warc.gz", [response(f"http://a.test/{len(b)}", b) for b in bodies])
    found = [(len(item.payload), item.truncated) for item in records_in(read(path, cap=cap)[0])]
    assert found == [(cap - 1, False), (cap, False), (cap + 1, False), (cap + 1, False)]


def test_the_cap_is_asked_with_type_and_head_and_zero_reads_nothing(tmp_path: Path) -> None:
    asked: list[tuple[str, int, str]] = []

    def cap(kind: str, head: HttpHead) -> int:
        asked.append((kind, head.status, head.content_type))
        return 0

    path = make_warc(tmp_path / "a.warc.gz", [record("request", "http://a.test/", b"GET / HTTP/1.1"), *pages(1)])
    found = records_in(read_records(Slice(path), cap))
    assert asked == [("response", 200, "text/html")]
    assert [item.payload for item in found] == [b"", b""] and not any(item.truncated for item in found)


def test_angle_brackets_around_url_and_record_id_are_no_part_of_them(tmp_path: Path) -> None:
    path = make_warc(tmp_path / "a.warc.gz", [record("resource", "<http://a.test/brackets>")])
    (found,) = records_in(read(path)[0])
    assert found.url == "http://a.test/brackets"
    assert found.record_id.startswith("urn:uuid:") and not found.record_id.endswith(">")


@pytest.mark.parametrize(
    ("written", "date"),
    [
        (b"2024-05-06T07:08:09.123456Z", datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)),
        (b"2024-05-06T07:08:09", datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)),
        (b"2024-05-06T07:08:09+02:00", datetime(2024, 5, 6, 5, 8, 9, tzinfo=UTC)),
        (b"yesterday", None),
        (b"0001-01-01T00:00:00+05:00", None),
        (b"9999-12-31T23:59:59-05:00", None),
    ],
)
def test_a_date_is_read_as_utc_or_not_at_all(tmp_path: Path, written: bytes, date: datetime | None) -> None:
    plain = pages(1, compressed=False)[0].replace(b"2024-05-06T07:08:09Z", written)
    (found,) = records_in(read(make_warc(tmp_path / "a.warc", [plain]))[0])
    assert found.date == date


def test_an_arc_file_is_read_as_warcio_reads_it(tmp_path: Path) -> None:
    path = make_arc(tmp_path / "a.arc", [*map(page, range(4)), page(4, 200_000)])
    items, _ = read(path)
    assert [(r.type, r.url, r.offset, r.payload) for r in records_in(items)] == read_by_warcio(path)
    assert numbers(items) == [0, 1, 2, 3] and not skips_in(items)


def test_behind_the_last_record_of_a_damaged_arc_file_everything_is_a_skip(tmp_path: Path) -> None:
    path = make_arc(tmp_path / "a.arc", map(page, range(4)))
    data = Path(path).read_bytes()
    at = data.index(b"http://a.test/2 ")
    make_warc(Path(path), [data[:at], b"no record\n", data[at:]])
    items, part = read(path)
    assert numbers(items) == [0, 1] and part.seam == (0, len(data) + 10)
    assert skipped(path, items) == [b"no record\n" + data[at:].strip()]


WRITERS: dict[str, Callable[[Path], str]] = {
    "gzip": lambda path: make_warc(path, pages(4)),
    "plain": lambda path: make_warc(path, pages(4, compressed=False)),
    "arc": lambda path: make_arc(path, map(page, range(4))),
    "gzip of two records a member": lambda path: make_warc(
        path, [gzip.compress(b"".join(pages(4, compressed=False)[n : n + 2])) for n in (0, 2)]
    ),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_what_is_read_at_the_offset_of_a_record_is_never_another_record(tmp_path: Path, kind: str) -> None:
    path = WRITERS[kind](tmp_path / "a.warc")
    responses = [item for item in records_in(read(path)[0]) if item.type == "response"]
    with Archive(path) as archive:
        again = [archive.record_at(item.offset, item.url, _ALL) for item in responses]
    assert len(responses) == 4
    assert all(a is None or (a.url, a.payload) == (r.url, r.payload) for r, a in zip(responses, again, strict=True))
    assert kind == "gzip of two records a member" or all(again)


def test_random_damage_never_crashes_the_reader_nor_leaves_the_file(tmp_path: Path) -> None:
    chance, path = random.Random(1), tmp_path / "a.warc"
    arc = Path(make_arc(path, [page(0)])).read_bytes()
    for data in [b"".join(pages(4)), b"".join(pages(4, compressed=False)), arc] * 60:
        damaged = bytearray(data)
        for _ in range(chance.randint(1, 8)):
            at, length = chance.randrange(len(damaged)), chance.choice((1, 4, 60))
            damaged[at : at + length] = chance.randbytes(chance.choice((0, length, length, 50)))
        items, part = read(make_warc(path, [bytes(damaged)]))
        assert part.seam == (0, len(damaged))
        assert all(0 <= at < at + length <= len(damaged) for at, length, _ in skips_in(items))


@pytest.mark.parametrize("name", files_in("warc_edge"))
def test_of_a_real_file_no_fewer_records_are_read_than_by_warcio_and_fastwarc(name: str) -> None:
    path = corpora() / "warc_edge" / name
    count = len(records_in(read(str(path))[0]))
    assert count >= archives.count_by(WarcioIterator, path, arc2warc=True)
    assert count >= archives.count_by(FastIterator, path, parse_http=False)


@pytest.mark.parametrize("name", files_in("warc_edge"))
def test_records_and_skips_of_a_real_file_account_for_all_its_bytes(name: str) -> None:
    path = corpora() / "warc_edge" / name
    items, part = read(str(path))
    assert part.seam == (0, path.stat().st_size)
    spans = [(item.offset, item.length if isinstance(item, Skip) else None) for item in items]
    assert archives.unaccounted(path.read_bytes(), spans) == []
