"""What an image file is found to be: whole ones, broken ones, bombs, other things, and the corpora's odd files."""

import io
import struct
import time
import zlib
from collections.abc import Iterator

import pytest
from PIL import Image, ImageDraw, features

from filters.image_header import ImageFacts, Unusable, inspect
from schemas.statuses import ImageStatus
from tests.corpora import corpora
from tests.image_server import picture

MAX_PIXELS = 64_000_000
KINDS = ["JPEG", "PNG", "WEBP", "GIF", "BMP", *(["AVIF"] if features.check("avif") else [])]
UNSUPPORTED = (".svg", ".tif", ".tiff", ".ico", ".jp2", ".ppm")
WHOLE = ("normal_odd_format", "animated", "exif_orientation", "icc_metadata")


def facts(content: bytes, max_pixels: int = MAX_PIXELS) -> ImageFacts:
    found = inspect(content, max_pixels)
    assert isinstance(found, ImageFacts), found
    return found


def status(content: bytes, max_pixels: int = MAX_PIXELS) -> ImageStatus:
    found = inspect(content, max_pixels)
    assert isinstance(found, Unusable), found
    assert found.message
    return found.status


def bits_between(left: bytes, right: bytes) -> int:
    return (int(facts(left).phash, 16) ^ int(facts(right).phash, 16)).bit_count()


def animation(kind: str, frames: int, **options: object) -> bytes:
    pictures = [Image.open(io.BytesIO(picture(seed=seed))).convert("RGB") for seed in range(frames)]
    target = io.BytesIO()
    pictures[0].save(target, kind, save_all=True, append_images=pictures[1:], duration=50, **options)
    return target.getvalue()


def png_claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header gives a size."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(64))) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_is_what_its_header_says(kind: str) -> None:
    found = facts(picture(kind, (61, 47)))
    assert (found.format, found.width, found.height, found.frames) == (kind.lower(), 61, 47, 1)
    assert len(found.phash) == 16


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_frames_of_an_animation_are_counted(kind: str) -> None:
    found = facts(animation(kind, 3))
    assert (found.format, found.frames, found.width) == (kind.lower(), 3, 64)


def test_a_photograph_with_a_second_picture_in_its_file_is_a_jpeg() -> None:
    found = facts(animation("MPO", 2))
    assert (found.format, found.width, found.height) == ("jpeg", 64, 48)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_pictures_of_any_depth_are_usable(mode: str) -> None:
    target = io.BytesIO()
    Image.linear_gradient("L").convert(mode).save(target, "PNG")
    assert facts(target.getvalue()).width == 256


def test_a_jpeg_in_cmyk_is_usable() -> None:
    target = io.BytesIO()
    Image.new("CMYK", (40, 30), (10, 20, 30, 40)).save(target, "JPEG")
    assert facts(target.getvalue()).format == "jpeg"


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "GIF", *(["AVIF"] if "AVIF" in KINDS else [])])
def test_a_recompressed_copy_has_nearly_the_same_hash(kind: str) -> None:
    original = picture("PNG", (320, 240), seed=3)
    assert bits_between(original, picture(kind, (320, 240), seed=3, quality=60)) <= 4


def test_different_black_drawings_on_transparency_have_different_hashes() -> None:
    found = []
    for corners in ((10, 10, 190, 150), (10, 20, 60, 150)):
        image, target = Image.new("RGBA", (200, 160)), io.BytesIO()
        ImageDraw.Draw(image).rectangle(corners, fill=(0, 0, 0, 255))
        image.save(target, "PNG")
        found.append(target.getvalue())
    assert bits_between(*found) > 10


def test_a_smaller_copy_has_nearly_the_same_hash_and_another_picture_has_not() -> None:
    large, small = picture("JPEG", (1280, 960), seed=5), io.BytesIO()
    Image.open(io.BytesIO(large)).resize((320, 240)).save(small, "JPEG", quality=80)
    assert bits_between(large, small.getvalue()) <= 4
    assert bits_between(large, turned(large)) > 10


def turned(content: bytes) -> bytes:
    target = io.BytesIO()
    Image.open(io.BytesIO(content)).transpose(Image.Transpose.ROTATE_180).save(target, "PNG")
    return target.getvalue()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "GIF"])
def test_a_picture_cut_in_half_is_undecodable(kind: str) -> None:
    whole = picture(kind, (200, 150), seed=1)
    assert status(whole[: len(whole) // 2]) is ImageStatus.UNDECODABLE


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_bytes_of_a_picture_alone_are_undecodable(kind: str) -> None:
    assert status(picture(kind)[:20]) is ImageStatus.UNDECODABLE


def test_a_picture_with_damaged_data_is_undecodable() -> None:
    whole = bytearray(picture("PNG", (200, 150)))
    middle = whole.index(b"IDAT") + 40
    whole[middle : middle + 20] = bytes(20)
    assert status(bytes(whole)) is ImageStatus.UNDECODABLE


def test_the_pixel_cap_holds_before_anything_is_decoded() -> None:
    assert facts(picture(size=(40, 25)), 1000).width == 40
    assert status(picture(size=(40, 26)), 1000) is ImageStatus.TOO_MANY_PIXELS
    began = time.monotonic()
    for side in (8_001, 60_000, 2**31 - 1):
        assert status(png_claiming(side, side)) is ImageStatus.TOO_MANY_PIXELS
    assert time.monotonic() - began < 1


def test_a_picture_without_an_extent_is_undecodable() -> None:
    assert status(png_claiming(0, 10)) is ImageStatus.UNDECODABLE


@pytest.mark.parametrize(
    "content",
    [
        b"<!DOCTYPE html><html><img></html>", b"<html><svg></svg></html>", b"Not found", b"{}", b"\x00" * 64,
        b"<?xml version='1.0'?><rss/>", b"<!-- a --><!-- b --><html>", b"%PDF-1.7", b"\x00\x00\x00\x20ftypisom",
    ],
)  # fmt: skip
def test_what_is_no_image_is_told_apart(content: bytes) -> None:
    assert status(content) is ImageStatus.NOT_AN_IMAGE


def test_no_bytes_are_empty() -> None:
    assert status(b"") is ImageStatus.EMPTY


_SVG = b'<svg xmlns="http://www.w3.org/2000/svg"/>'


@pytest.mark.parametrize(
    "content",
    [
        _SVG, b"  \r\n" + _SVG, b"<?xml version='1.0' encoding='UTF-8'?>\n<!-- Made by hand -->\n" + _SVG,
        b"<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' 'svg11.dtd'>\n" + _SVG, b"<!-- a --> <!-- b -->" + _SVG,
        b"\xef\xbb\xbf" + _SVG, b"II*\x00\x08\x00\x00\x00", b"MM\x00*\x00\x00\x00\x08", b"8BPS\x00\x01",
        b"\x00\x00\x01\x00\x01\x00", b"\x00\x00\x00\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51\x00\x2f\x00\x00",
        b"\xff\x0a\xfa\x1f", b"\x00\x00\x00\x0cJXL \r\n\x87\n", b"P6\n2 2\n255\n", b"\x00\x00\x00\x18ftypheic",
    ],
)  # fmt: skip
def test_images_of_other_formats_are_unsupported_rather_than_no_images(content: bytes) -> None:
    """SVG in its many openings, TIFF, PSD, ICO, JPEG 2000 as a file and as a bare codestream, JPEG XL, PPM, HEIC."""
    assert status(content) is ImageStatus.UNSUPPORTED_FORMAT


@pytest.mark.parametrize("kind", ["TIFF", "ICO", "PPM", "TGA", "ICNS", "PCX"])
def test_formats_that_pillow_could_read_are_not_opened(kind: str) -> None:
    assert status(picture(kind)) in (ImageStatus.UNSUPPORTED_FORMAT, ImageStatus.NOT_AN_IMAGE)


def test_a_page_that_begins_with_many_comments_is_told_apart_in_time() -> None:
    began = time.monotonic()
    assert status(b"<!-- [if IE] -->\n" * 23 + b"<html></html>") is ImageStatus.NOT_AN_IMAGE
    assert time.monotonic() - began < 1


def test_a_small_file_of_very_many_frames_is_counted_in_time() -> None:
    opening = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff"
    frame = b"\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x4c\x01\x00"
    began = time.monotonic()
    assert facts(opening + frame * 100_000 + b";").frames == 100_000
    assert time.monotonic() - began < 3


def odd_files() -> Iterator[tuple[str, bytes]]:
    """Category and name of each file of the corpora's bad_images, with its bytes."""
    for path in sorted((corpora() / "bad_images").glob("*/*")):
        yield f"{path.parent.name}/{path.name}", path.read_bytes()


def test_every_odd_file_of_the_corpora_ends_in_facts_or_a_status_within_seconds() -> None:
    count = 0
    for name, content in odd_files():
        began = time.monotonic()
        assert isinstance(inspect(content, MAX_PIXELS), (ImageFacts, Unusable)), name
        assert time.monotonic() - began < 3, name
        count += 1
    assert count == 70


def test_whole_files_of_the_corpora_are_usable_in_the_formats_that_we_read() -> None:
    for name, content in odd_files():
        if name.startswith(WHOLE) and not name.endswith(UNSUPPORTED):
            assert facts(content).width > 0, name


def test_files_of_other_formats_in_the_corpora_are_unsupported() -> None:
    found = {name: inspect(content, MAX_PIXELS) for name, content in odd_files() if name.endswith(UNSUPPORTED)}
    got = {name: getattr(one, "status", None) for name, one in found.items()}
    assert got == dict.fromkeys(found, ImageStatus.UNSUPPORTED_FORMAT)


def test_bombs_of_the_corpora_are_refused_unless_they_are_small_in_truth() -> None:
    refused = (ImageStatus.TOO_MANY_PIXELS, ImageStatus.UNDECODABLE)
    for name, content in odd_files():
        if name.startswith("bombs"):
            found = inspect(content, MAX_PIXELS)
            assert isinstance(found, ImageFacts) or found.status in refused, name
            assert isinstance(found, Unusable) or found.width * found.height < 10_000, name


def test_broken_files_of_the_corpora_are_undecodable_where_pillow_cannot_load_them() -> None:
    verdicts = (corpora() / "bad_images" / "SOURCES.tsv").read_text().splitlines()
    fails = {line.split("\t")[0] for line in verdicts if "\tPIL:OSError" in line and "truncated_corrupt" in line}
    got = {name: status(content) for name, content in odd_files() if name in fails}
    assert got == dict.fromkeys(fails, ImageStatus.UNDECODABLE)
