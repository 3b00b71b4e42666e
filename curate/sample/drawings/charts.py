"""Charts and maps of the sample crawl, drawn rather than plotted so that no plotting package is needed.

The numbers are those of the invented articles; they measure nothing real.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

from curate.sample.drawings.canvas import Canvas, Point

INK = "#33415c"


def _frame(c: Canvas, title: str, paper: str = "#fbf8f1") -> None:
    c.rect(0, 0, c.width, c.height, paper)
    c.text(240, 26, title, 17, INK)
    for k in range(6):
        c.line([(52, 300 - k * 48), (456, 300 - k * 48)], "#c9c4b8", 1)
    c.line([(52, 52), (52, 300), (456, 300)], INK, 2)


def bars(c: Canvas, title: str, names: Sequence[str], values: Sequence[float], tone: str) -> None:
    """A bar chart with the value over each bar."""
    _frame(c, title)
    top, step = max(values), 404 / len(values)
    for k, (name, value) in enumerate(zip(names, values, strict=True)):
        x0, y = 52 + step * (k + 0.18), 300 - 228 * value / top
        c.rect(x0, y, x0 + step * 0.64, 300, tone)
        c.rect(x0 + step * 0.5, y, x0 + step * 0.64, 300, "#00000022")
        c.text(x0 + step * 0.32, y - 9, f"{value:g}", 11, INK)
        c.text(x0 + step * 0.32, 316, name, 11, INK)


def curve(c: Canvas, title: str, ticks: Sequence[str], points: Sequence[Point], tone: str, unit: str) -> None:
    """A line chart; points are shares of the frame (0 to 1, upwards)."""
    _frame(c, title)
    placed = [(52 + 404 * x, 300 - 240 * y) for x, y in points]
    c.poly([*placed, (placed[-1][0], 300), (placed[0][0], 300)], tone + "38")
    c.line(placed, tone, 3.4)
    for k, tick in enumerate(ticks):
        c.text(52 + 404 * k / (len(ticks) - 1), 316, tick, 11, INK)
    c.text(58, 46, unit, 11, INK, "lm")


def tide(c: Canvas) -> None:
    """Height of tide over one day: two highs and two lows."""
    steps = [k / 96 for k in range(97)]
    wave = [(t, 0.5 + 0.4 * math.sin(t * 24 / 12.42 * math.tau - 0.9)) for t in steps]
    curve(c, "Height of tide, Harbour Quay", ("00", "04", "08", "12", "16", "20", "24"), wave, "#2a7f9e", "metres")


def firing(c: Canvas) -> None:
    """Kiln temperature: slow climb, hold, slow cooling."""
    path = (
        (0, 0.02),
        (0.12, 0.1),
        (0.3, 0.44),
        (0.42, 0.62),
        (0.52, 0.93),
        (0.58, 0.95),
        (0.68, 0.6),
        (0.85, 0.3),
        (1, 0.14),
    )
    curve(c, "Kiln log, cone 10 firing", ("0 h", "8 h", "16 h", "24 h", "32 h"), path, "#c4541c", "degrees C")


def compass_rose(c: Canvas) -> None:
    """A sixteen-point compass rose on chart paper."""
    c.rect(0, 0, 480, 360, "#efe6cf")
    for k in range(13):
        c.line([(k * 40, 0), (k * 40, 360)], "#b9a98444", 1)
        c.line([(0, k * 40), (480, k * 40)], "#b9a98444", 1)
    c.ring(240, 180, 142, 142, INK, 2)
    c.ring(240, 180, 132, 132, INK, 1)
    for reach, offset, tones in (
        (84, 22.5, ("#8aa0ad", "#dfe3df")),
        (110, 45, ("#3f6f8c", "#e8e2d2")),
        (138, 0, ("#8c2f39", "#f7f1e3")),
    ):
        for k in range(8 if offset == 22.5 else 4):
            a = math.radians(offset + k * (45 if offset == 22.5 else 90) - 90)
            tip = (240 + reach * math.cos(a), 180 + reach * math.sin(a))
            for side, tone in ((-1, tones[0]), (1, tones[1])):
                b = a + side * math.radians(45)
                c.poly([(240, 180), tip, (240 + 26 * math.cos(b), 180 + 26 * math.sin(b))], tone)
    for name, x, y in (("N", 240, 24), ("E", 396, 180), ("S", 240, 338), ("W", 84, 180)):
        c.text(x, y, name, 20, INK)


def island_map(c: Canvas) -> None:
    """A chart of an island with soundings and a leading line."""
    c.rect(0, 0, 480, 360, "#cfe3ea")
    for reach in (1.5, 1.32, 1.16):
        c.blob(
            230,
            186,
            132 * reach,
            88 * reach,
            "#b9d6e0" if reach > 1.4 else "#a6cad8" if reach > 1.2 else "#93bdce",
            0.1,
        )
    c.blob(230, 186, 130, 84, "#ead9a8", 0.14)
    c.blob(220, 180, 84, 48, "#c7cf95", 0.16)
    c.blob(208, 176, 40, 22, "#a9ba7c", 0.16)
    for _ in range(34):
        a, reach = c.rng.uniform(0, math.tau), c.rng.uniform(1.28, 1.7)
        c.text(
            230 + 132 * reach * math.cos(a), 186 + 94 * reach * math.sin(a), str(c.rng.randint(2, 38)), 10, "#2f6480"
        )
    c.line([(466, 330), (330, 226)], "#8c2f39", 1.6)
    c.oval(326, 222, 6, 6, "#8c2f39")
    c.glow(326, 222, 18, "#f7d774")
    c.oval(326, 222, 4, 4, "#8c2f39")


def contour_map(c: Canvas) -> None:
    """Contour lines round two tops, with a dashed path to a hut."""
    c.rect(0, 0, 480, 360, "#f2eedd")
    c.blob(150, 300, 220, 110, "#d6e4bd", 0.2)
    for k in range(9):
        tone = "#a5683b" if k % 4 == 0 else "#cf9b6e"
        stretch = 1.12 - k * 0.12
        for cx, cy, rx, ry in ((190, 170, 150, 118), (350, 150, 96, 100)):
            if stretch > 0.1:
                _outline(c, cx, cy, rx * stretch, ry * stretch, tone, 1.1 + (k % 4 == 0))
    c.line([(0, 318), (90, 296), (210, 312), (330, 288), (480, 306)], "#5b9bc4", 4)
    path = [(36, 340), (70, 280), (66, 232), (110, 206), (120, 160), (160, 140), (188, 166)]
    for (x0, y0), (x1, y1) in pairwise(path):
        for k in range(0, 10, 2):
            share = (k / 10, (k + 1) / 10)
            c.line([(x0 + (x1 - x0) * s, y0 + (y1 - y0) * s) for s in share], "#b3261e", 2.4)
    c.rect(58, 222, 74, 236, "#b3261e")
    c.poly([(54, 224), (66, 212), (78, 224)], "#7a1a14")
    c.text(204, 158, "2 184", 13, INK)
    c.text(352, 146, "1 967", 13, INK)


def _outline(c: Canvas, cx: float, cy: float, rx: float, ry: float, stroke: str, width: float) -> None:
    points: list[Point] = []
    for step in range(73):
        a = step / 72 * math.tau
        swell = 1 + 0.1 * math.sin(3 * a + cx) + 0.05 * math.sin(5 * a + 1)
        points.append((cx + rx * swell * math.cos(a), cy + ry * swell * math.sin(a)))
    c.line(points, stroke, width)
