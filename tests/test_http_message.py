"""HTTP messages as crawls store them: heads of every shape, and bodies decoded, kept or refused within their cap."""

import contextlib
import gzip
import random
import tracemalloc
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard

from pipelines.frame.http_message import HttpHead, TooLarge, Undecodable, decode_body, parse_head

_CAP = 1 << 24
_WORDS = random.Random(3)
PAGE = b"<html>%s</html>" % b"".join(b"<p>%d: %x</p>" % (n, _WORDS.getrandbits(160)) for n in range(9000))
Squeeze = Callable[[bytes], bytes]


def raw_deflate(data: bytes) -> bytes:
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return squeezer.compress(data) + squeezer.flush()


def squeeze_brotli(data: bytes) -> bytes:
    return brotli.compress(data, quality=4)  # the default takes seconds


CODINGS: dict[str, tuple[str, Squeeze]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("x-gzip", gzip.compress),
    "deflate as zlib": ("deflate", zlib.compress),
    "deflate without a header": ("deflate", raw_deflate),
    "brotli": ("br", squeeze_brotli),
    "zstd": ("zstd", zstandard.compress),
}
coded = pytest.mark.parametrize(("name", "squeeze"), CODINGS.values(), ids=CODINGS)


def head(**headers: str) -> HttpHead:
    return HttpHead(200, {name.replace("_", "-"): [value] for name, value in headers.items()})


def chunked(data: bytes, length: int = 1000, end: bytes = b"0\r\n\r\n") -> bytes:
    pieces = (data[at : at + length] for at in range(0, len(data), length))
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + end


CHUNKED = head(transfer_encoding="chunked")


@pytest.mark.parametrize(
    ("block", "status", "headers", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nA: 1\r\nB: x: y\r\n\r\nbody", 200, {"a": ["1"], "b": ["x: y"]}, b"body"),
        (b"HTTP/1.1 200 OK\nA: 1\n\nbody\n\n", 200, {"a": ["1"]}, b"body\n\n"),
        (b"HTTP/1.0 404\r\nA: 1\r\n\r\n", 404, {"a": ["1"]}, b""),
        (b"HTTP/1.1 302 \r\n\r\nmoved", 302, {}, b"moved"),
        (b"HTTP/2 200\r\nA: 1\r\n\r\nbody", 200, {"a": ["1"]}, b"body"),
        (b"HTTP/1.1 200 OK\r\nA: one\r\n  two\r\n\tthree\r\nB:\r\n\r\n", 200, {"a": ["one two three"], "b": [""]}, b""),
        (b"HTTP/1.1 200 OK\r\nSet: 1\r\nSET: 2\r\n\r\n", 200, {"set": ["1", "2"]}, b""),
        (b"HTTP/1.1 200 OK\r\nno colon here\r\nA: 1\r\n\r\nbody", 200, {"a": ["1"]}, b"body"),
        (b"HTTP/1.1 200 OK\r\nA: \xff\xfe\r\n\r\nbody", 200, {"a": ["��"]}, b"body"),
        (b"HTTP/1.1 200 OK\r\nA: cut of", 200, {"a": ["cut of"]}, b""),
        (b"HTTP/1.0 302 \r\r\nA: 1\r\r\n\r\r\n", 302, {"a": ["1"]}, b""),
    ],
    ids=["plain", "line feeds only", "no reason", "no headers", "HTTP/2", "folded", "repeated", "junk line",
         "not UTF-8", "no end", "doubled carriage returns"],
)  # fmt: skip
def test_a_head_is_read_in_every_shape_that_servers_send(
    block: bytes, status: int, headers: dict[str, list[str]], body: bytes
) -> None:
    parsed = parse_head(block)
    assert parsed is not None
    assert (parsed[0].status, parsed[0].headers, block[parsed[1] :]) == (status, headers, body)


@pytest.mark.parametrize(
    "block", [b"", b"<html></html>", b"ICY 200 OK\r\n\r\n", b"HTTP/1.1 OK\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"]
)
def test_what_does_not_begin_with_a_status_line_is_not_http(block: bytes) -> None:
    assert parse_head(block) is None


def test_the_last_of_repeated_headers_counts_and_none_is_an_empty_string() -> None:
    repeated = HttpHead(200, {"content-type": ["text/plain", " Text/HTML ; charset='Shift_JIS'; x=y "]})
    assert (repeated.content_type, repeated.charset) == ("text/html", "Shift_JIS")
    assert repeated.all("content-type")[0] == "text/plain"
    assert (HttpHead(200).content_type, HttpHead(200).charset, HttpHead(200).get("x")) == ("", "", "")


@pytest.mark.parametrize("length", [1, 7, 1000, 70_000, 1 << 20])
def test_chunks_of_any_length_are_joined(length: int) -> None:
    assert decode_body(CHUNKED, chunked(PAGE[:100_000], length), _CAP) == PAGE[:100_000]


@pytest.mark.parametrize("end", [b"0\r\n\r\n", b"0\r\nX-Sum: 1\r\n\r\n", b"0;a=b\r\n\r\n", b"", b"0\r\n"])
def test_nothing_of_the_last_chunk_gets_into_the_page(end: bytes) -> None:
    assert decode_body(CHUNKED, chunked(PAGE, end=end), _CAP) == PAGE


@pytest.mark.parametrize("body", [PAGE, b"\n <!DOCTYPE html><p>short", b"plain words", b"\r\n\r\n<p>"])
def test_a_body_stored_without_its_chunks_is_taken_as_it_is(body: bytes) -> None:
    assert decode_body(CHUNKED, body, _CAP) == body


def test_chunks_that_break_in_the_middle_give_what_comes_before_the_break() -> None:
    stored = chunked(PAGE)
    at = stored.index(b"\r\n3e8\r\n", 50_000)
    for broken in (
        stored[:at] + b"\r\nzzz\r\n" + stored[at + 7 :],
        stored[:at] + b"\r\nffffff\r\n",
        stored[: at - 300],
    ):
        decoded = decode_body(CHUNKED, broken, _CAP)
        assert len(decoded) > 49_000
        assert PAGE.startswith(decoded), "framing bytes stand in the page"


@coded
def test_a_content_coding_is_undone_with_and_without_chunks(name: str, squeeze: Squeeze) -> None:
    assert decode_body(head(content_encoding=name), squeeze(PAGE), _CAP) == PAGE
    both = head(content_encoding=f" {name.upper()} ", transfer_encoding="Chunked")
    assert decode_body(both, chunked(squeeze(PAGE)), _CAP) == PAGE


@coded
def test_markup_stored_decoded_under_its_old_header_is_taken_as_it_is(name: str, squeeze: Squeeze) -> None:
    for body in (PAGE, b"\xef\xbb\xbf\r\n <!doctype html><p>x", b"words first <br> then markup"):
        assert decode_body(head(content_encoding=name), body, _CAP) == body


@coded
def test_a_body_that_is_neither_coded_nor_markup_is_undecodable(name: str, squeeze: Squeeze) -> None:
    # Without a NUL and with a "<" in its first kilobyte, as compressed data has it by chance.
    noise = bytes(_WORDS.choices(range(1, 256), k=400)) + b"<" + bytes(_WORDS.choices(range(1, 256), k=400))
    for body in (noise, b"\x00\x01" + noise, b"no markup at all"):
        with pytest.raises(Undecodable, match=name):
            decode_body(head(content_encoding=name), body, _CAP)


def test_damaged_compressed_data_never_passes_for_a_page() -> None:
    for seed in range(6):
        stored = bytearray(zlib.compress(PAGE))
        stored[30_000:30_040] = random.Random(seed).randbytes(40)
        try:
            decoded = decode_body(head(content_encoding="deflate"), bytes(stored), _CAP)
        except Undecodable:
            continue
        assert decoded.startswith(PAGE[:500]), "the page is compressed data"


@pytest.mark.parametrize(
    ("header", "squeezes"),
    [
        ("gzip, gzip", (gzip.compress, gzip.compress)),
        ("deflate,br", (zlib.compress, squeeze_brotli)),
        ("br, identity, zstd", (squeeze_brotli, zstandard.compress)),
        ("gzip, gzip", (gzip.compress,)),
        ("identity", ()),
        ("", ()),
        ("unheard-of", ()),
    ],
)
def test_codings_are_undone_from_the_last_to_the_first_and_unknown_ones_left(
    header: str, squeezes: tuple[Squeeze, ...]
) -> None:
    body = PAGE
    for squeeze in squeezes:
        body = squeeze(body)
    assert decode_body(head(content_encoding=header), body, _CAP) == PAGE
    if header.count(",") == 1:
        listed = HttpHead(200, {"content-encoding": [part.strip() for part in header.split(",")]})
        assert decode_body(listed, body, _CAP) == PAGE


@coded
def test_the_cap_is_on_the_decoded_body_and_includes_its_value(name: str, squeeze: Squeeze) -> None:
    body, coding = squeeze(PAGE), head(content_encoding=name)
    assert decode_body(coding, body, len(PAGE)) == PAGE
    for cap in (len(PAGE) - 1, len(PAGE) // 2, 10):
        with pytest.raises(TooLarge):
            decode_body(coding, body, cap)


def test_the_cap_holds_for_plain_and_chunked_bodies() -> None:
    for how, stored in ((head(), PAGE), (CHUNKED, chunked(PAGE)), (CHUNKED, PAGE)):
        assert decode_body(how, stored, len(PAGE)) == PAGE
        with pytest.raises(TooLarge):
            decode_body(how, stored, len(PAGE) - 1)


@coded
def test_a_bomb_stops_at_the_cap_in_little_memory(name: str, squeeze: Squeeze) -> None:
    bomb, twice = squeeze(bytes(64 << 20)), squeeze(squeeze(bytes(64 << 20)))
    tracemalloc.start()
    for header, body in ((name, bomb), (f"{name}, {name}", twice)):
        with pytest.raises(TooLarge):
            decode_body(head(content_encoding=header), body, 1 << 20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


@coded
def test_a_truncated_body_gives_what_can_be_read_of_it(name: str, squeeze: Squeeze) -> None:
    body, coding = squeeze(PAGE), head(content_encoding=name)
    for kept in (0.5, 0.99):
        decoded = decode_body(coding, body[: int(len(body) * kept)], _CAP)
        least = kept / 2 if name == "zstd" else kept - 0.05  # zstd gives whole blocks of 128 KiB
        assert PAGE.startswith(decoded) and len(decoded) > least * len(PAGE)


def test_a_body_truncated_before_anything_can_be_read_is_undecodable() -> None:
    for name, squeeze in CODINGS.values():
        with pytest.raises(Undecodable, match=name):
            decode_body(head(content_encoding=name), squeeze(PAGE)[:3], _CAP)


def test_gzip_members_that_follow_one_another_are_one_body() -> None:
    body = gzip.compress(PAGE[:70_000]) + gzip.compress(PAGE[70_000:])
    assert decode_body(head(content_encoding="gzip"), body, _CAP) == PAGE
    with pytest.raises(TooLarge):
        decode_body(head(content_encoding="gzip"), body, len(PAGE) - 1)


@coded
def test_bytes_behind_the_end_of_a_coded_body_never_get_into_the_page(name: str, squeeze: Squeeze) -> None:
    body, coding = squeeze(PAGE) + b"\r\n<p>", head(content_encoding=name)
    if name == "br":  # its library refuses the block in which anything follows the end
        with contextlib.suppress(Undecodable):
            assert PAGE.startswith(decode_body(coding, body, _CAP))
    else:
        assert decode_body(coding, body, _CAP) == PAGE


@coded
def test_nothing_is_nothing_whether_coded_or_not(name: str, squeeze: Squeeze) -> None:
    assert decode_body(head(content_encoding=name), b"", _CAP) == b""
    assert decode_body(head(content_encoding=name), squeeze(b""), _CAP) == b""
