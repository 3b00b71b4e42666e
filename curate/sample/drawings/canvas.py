"""Drawing surface of the sample pictures: named shapes in a fixed frame of units, reduced to the wished size.

It exists so that a scene is written once and comes out at any size, with smooth edges (painted at twice the
final size) and the same pixels on every run (all chance comes from one seeded generator). It is not a general
drawing library: it has the shapes the sample scenes need and nothing more.
"""

import math
import random
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFilter, ImageFont

Point = tuple[float, float]
FRAME = (480, 360)
OVERSAMPLE = 2


class Canvas:
    """A frame of 480 x 360 units (or as told) painted at twice the final size."""

    def __init__(self, width: int, height: int, seed: int, frame: tuple[int, int] = FRAME) -> None:
        self.width, self.height = frame
        self.rng = random.Random(seed)
        self._size = (width, height)
        self._scale = OVERSAMPLE * width / frame[0]
        self._image = Image.new("RGB", (OVERSAMPLE * width, OVERSAMPLE * height), "white")
        self._draw = ImageDraw.Draw(self._image, "RGBA")

    def _at(self, points: Sequence[Point]) -> list[Point]:
        return [(x * self._scale, y * self._scale) for x, y in points]

    def poly(self, points: Sequence[Point], fill: str) -> None:
        """A filled polygon."""
        self._draw.polygon(self._at(points), fill=fill)

    def rect(self, x0: float, y0: float, x1: float, y1: float, fill: str) -> None:
        """A filled upright rectangle."""
        self.poly([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], fill)

    def trapezoid(self, cx: float, y0: float, half0: float, y1: float, half1: float, fill: str) -> None:
        """A filled trapezoid centred on `cx`: half-width `half0` at `y0` and `half1` at `y1`."""
        self.poly([(cx - half0, y0), (cx + half0, y0), (cx + half1, y1), (cx - half1, y1)], fill)

    def oval(self, cx: float, cy: float, rx: float, ry: float, fill: str) -> None:
        """A filled ellipse."""
        (left, top), (right, bottom) = self._at([(cx - rx, cy - ry), (cx + rx, cy + ry)])
        self._draw.ellipse((left, top, right, bottom), fill=fill)

    def ring(self, cx: float, cy: float, rx: float, ry: float, stroke: str, width: float) -> None:
        """The outline of an ellipse."""
        (left, top), (right, bottom) = self._at([(cx - rx, cy - ry), (cx + rx, cy + ry)])
        self._draw.ellipse((left, top, right, bottom), outline=stroke, width=max(1, round(width * self._scale)))

    def line(self, points: Sequence[Point], stroke: str, width: float) -> None:
        """A polyline with rounded joints."""
        thick = max(1, round(width * self._scale))
        self._draw.line(self._at(points), fill=stroke, width=thick, joint="curve")

    def arc(self, cx: float, cy: float, radius: float, start: float, end: float, stroke: str, width: float) -> None:
        """A circular arc; angles in degrees, clockwise from three o'clock."""
        steps = [math.radians(start + (end - start) * i / 24) for i in range(25)]
        self.line([(cx + radius * math.cos(a), cy + radius * math.sin(a)) for a in steps], stroke, width)

    def text(self, x: float, y: float, words: str, size: float, fill: str = "#333333", anchor: str = "mm") -> None:
        """Latin text in Pillow's built-in face, so that no font file of the machine changes the picture."""
        font = ImageFont.load_default(size=size * self._scale)
        self._draw.text((x * self._scale, y * self._scale), words, fill=fill, font=font, anchor=anchor)

    def gradient(self, y0: float, y1: float, top: str, bottom: str) -> None:
        """A full-width vertical gradient between two heights."""
        first, last = round(y0 * self._scale), round(y1 * self._scale)
        ramp = Image.linear_gradient("L").resize((self._image.width, max(1, last - first)))
        upper, lower = Image.new("RGB", ramp.size, top), Image.new("RGB", ramp.size, bottom)
        self._image.paste(Image.composite(lower, upper, ramp), (0, first))

    def glow(self, cx: float, cy: float, radius: float, colour: str) -> None:
        """A soft round light."""
        reach = round(radius * self._scale)
        ramp = Image.radial_gradient("L").resize((2 * reach, 2 * reach)).point([max(0, 200 - v) for v in range(256)])
        left, top = round(cx * self._scale) - reach, round(cy * self._scale) - reach
        self._image.paste(Image.new("RGB", ramp.size, colour), (left, top), ramp)

    def ridge(self, base: float, rise: float, waves: float, fill: str) -> None:
        """A hill line across the whole width: a sum of sines with chance phases, filled to the bottom edge."""
        phases = [self.rng.uniform(0, math.tau) for _ in range(5)]
        points: list[Point] = []
        for x in range(0, self.width + 5, 4):
            t = x / self.width * math.tau * waves
            swing = sum(math.sin(t * 1.7**k + phase) / 1.6**k for k, phase in enumerate(phases))
            points.append((x, base - rise * swing / 2))
        self.poly([*points, (self.width, self.height), (0, self.height)], fill)

    def cloud(self, cx: float, cy: float, size: float, fill: str = "#ffffffb0") -> None:
        """A heap of overlapping puffs on a flat base, painted at once so that overlaps do not show."""
        mask = Image.new("L", self._image.size, 0)
        brush = ImageDraw.Draw(mask)
        for i in range(6):
            reach = size * self.rng.uniform(0.22, 0.38)
            x, y = cx + (i - 2.5) * size * 0.3, cy - reach * 0.5 - (size * 0.18 if i in (2, 3) else 0)
            (left, top), (right, bottom) = self._at([(x - reach, y - reach), (x + reach, y + reach)])
            brush.ellipse((left, top, right, bottom), fill=255)
        brush.rectangle((0, cy * self._scale, mask.width, mask.height), fill=0)
        soft = mask.filter(ImageFilter.GaussianBlur(self._scale))
        colour, alpha = fill[:7], int(fill[7:9] or "ff", 16)
        self._image.paste(
            Image.new("RGB", mask.size, colour), (0, 0), soft.point([v * alpha // 255 for v in range(256)])
        )

    def blob(self, cx: float, cy: float, rx: float, ry: float, fill: str, wobble: float = 0.08) -> None:
        """An ellipse with an uneven hand-drawn edge."""
        phases = [self.rng.uniform(0, math.tau) for _ in range(3)]
        points: list[Point] = []
        for step in range(72):
            a = step / 72 * math.tau
            swell = 1 + wobble * sum(math.sin((k + 2) * a + phase) for k, phase in enumerate(phases)) / 2
            points.append((cx + rx * swell * math.cos(a), cy + ry * swell * math.sin(a)))
        self.poly(points, fill)

    def mottle(self, strength: float = 0.06) -> None:
        """Uneven tone like watercolour paper: coarse noise, cheap to compress."""
        small = (self._image.width // 24, self._image.height // 24)
        noise = Image.frombytes("L", small, self.rng.randbytes(small[0] * small[1]))
        wash = noise.resize(self._image.size, Image.Resampling.BICUBIC).convert("RGB")
        self._image.paste(Image.blend(self._image, wash, strength))

    def finish(self) -> Image.Image:
        """The picture at its final size."""
        return self._image.resize(self._size, Image.Resampling.LANCZOS)
