"""Craft scenes of the sample crawl: bread, clay, paper, cloth, rope.

These are illustrations for invented articles, not working drawings.
"""

import math
from itertools import pairwise

from curate.sample.drawings.canvas import Canvas, Point
from curate.sample.drawings.garden import leaf


def table(c: Canvas, wall: tuple[str, str] = ("#efe6d8", "#dcccb4"), board: str = "#a8774c") -> None:
    """A wall and a wooden table top."""
    c.gradient(0, 250, *wall)
    c.gradient(250, 360, board, "#7c5233")
    for y in (262, 282, 308, 338):
        c.line([(0, y), (160, y + c.rng.uniform(-3, 3)), (480, y + c.rng.uniform(-3, 3))], "#5b391f55", 1.6)


def round_loaf(c: Canvas) -> None:
    """A floured round loaf with a scored ear."""
    table(c)
    c.oval(240, 292, 176, 22, "#00000040")
    c.blob(240, 216, 168, 88, "#9c5f2b", 0.03)
    c.blob(236, 204, 154, 76, "#bf7f3f", 0.03)
    c.blob(226, 190, 120, 52, "#d49a57a0", 0.05)
    for k in range(5):
        x = 130 + k * 50
        c.line([(x, 250 - 8 * k % 14), (x + 22, 190), (x + 54, 150)], "#f1dcb4", 10)
        c.line([(x + 7, 250 - 8 * k % 14), (x + 29, 192), (x + 60, 154)], "#6f3f1a90", 4)
    for _ in range(160):
        a, reach = c.rng.uniform(0, math.tau), c.rng.random() ** 0.5
        c.oval(238 + 146 * reach * math.cos(a), 200 + 66 * reach * math.sin(a), 1.6, 1.2, "#fff6e6a0")
    c.mottle(0.06)


def tin_loaf(c: Canvas) -> None:
    """A sliced tin loaf showing its crumb."""
    table(c, ("#d9e2dd", "#c2cfc8"))
    c.oval(250, 302, 196, 16, "#00000040")
    c.poly([(150, 150), (400, 140), (424, 170), (424, 298), (150, 300)], "#a5642c")
    c.poly([(150, 150), (400, 140), (424, 170), (190, 186)], "#c4833f")
    for left in (92, 52):
        c.poly(
            [(left, 190), (left + 20, 158), (left + 104, 158), (left + 122, 190), (left + 116, 302), (left + 8, 302)],
            "#8d5424",
        )
        crumb = [
            (left + 9, 194),
            (left + 25, 168),
            (left + 99, 168),
            (left + 113, 194),
            (left + 107, 294),
            (left + 16, 294),
        ]
        c.poly(crumb, "#f0d9ad")
        for _ in range(44):
            c.oval(
                left + c.rng.uniform(22, 102),
                c.rng.uniform(180, 286),
                c.rng.uniform(1, 4),
                c.rng.uniform(1, 3),
                "#c9a56eb0",
            )
    c.mottle(0.05)


def starter_jar(c: Canvas) -> None:
    """A jar of lively sourdough starter with a level band."""
    table(c, ("#e7ece6", "#cfd8cf"))
    c.oval(240, 316, 92, 12, "#00000040")
    c.rect(160, 120, 320, 314, "#ffffff70")
    c.rect(166, 172, 314, 310, "#ead9b0")
    for _ in range(70):
        reach = c.rng.uniform(1.5, 7)
        c.oval(c.rng.uniform(174, 306), c.rng.uniform(184, 302), reach, reach * 0.85, "#cdb480c0")
    c.oval(240, 172, 74, 10, "#f4e8c8")
    c.rect(160, 236, 320, 246, "#c0392b")
    c.rect(152, 96, 328, 122, "#b98a56")
    c.rect(152, 112, 328, 122, "#97693b")
    c.rect(172, 128, 182, 300, "#ffffff80")
    c.mottle(0.04)


def oven(c: Canvas, flicker: int = 0) -> None:
    """A wood-fired oven; `flicker` moves the flames for an animation."""
    c.gradient(0, 360, "#8c6a52", "#5f4636")
    for row in range(10):
        for column in range(-1, 8):
            x = column * 66 + (33 if row % 2 else 0)
            c.rect(x, row * 37, x + 62, row * 37 + 33, ("#a8694a", "#9a5d41", "#b37552")[(row * 3 + column) % 3])
    c.rect(110, 190, 370, 318, "#1d1210")
    c.oval(240, 190, 130, 96, "#1d1210")
    c.glow(240, 260, 104, "#c4541c")
    for k in range(7):
        x, tall = 160 + k * 27, 60 + 34 * math.sin(k * 1.9 + flicker * 1.5)
        c.poly(
            [
                (x - 20, 312),
                (x - 10, 300 - tall * 0.5),
                (x + 6 * math.sin(flicker + k), 300 - tall),
                (x + 12, 306 - tall * 0.5),
                (x + 20, 312),
            ],
            "#f08a24d0",
        )
        c.poly([(x - 10, 312), (x, 306 - tall * 0.6), (x + 10, 312)], "#ffe08a")
    for x0, x1 in ((130, 290), (190, 350)):
        c.line([(x0, 314), (x1, 306)], "#4a2c1a", 13)
    c.rect(90, 316, 390, 334, "#6c6660")


Profile = tuple[tuple[float, float], ...]
VASE: Profile = ((0, 26), (0.08, 30), (0.18, 24), (0.4, 66), (0.62, 84), (0.85, 56), (1, 42))
BOWL: Profile = ((0, 108), (0.3, 104), (0.6, 88), (0.85, 56), (0.92, 40), (1, 42))
JAR: Profile = ((0, 44), (0.1, 48), (0.22, 78), (0.5, 90), (0.8, 72), (1, 60))


def vessel(c: Canvas, cx: float, top: float, tall: float, profile: Profile, glaze: tuple[str, str]) -> None:
    """A turned vessel from its profile (share of height, half-width), glaze over the upper part."""
    body, upper = glaze
    right: list[Point] = [(cx + half, top + tall * share) for share, half in profile]
    left: list[Point] = [(cx - half, y) for (_, half), (_, y) in zip(profile, right, strict=True)]
    c.oval(cx, top + tall, profile[-1][1] * 1.5, 9, "#00000038")
    c.poly([*left, *reversed(right)], body)
    half_top = profile[0][1]
    split = [pair for pair in zip(left, right, strict=True) if pair[0][1] <= top + tall * 0.66]
    drips = [(x, split[-1][0][1] + c.rng.uniform(2, 22)) for x in _spread(split[-1][0][0], split[-1][1][0], 9)]
    c.poly([*(p[0] for p in split), *drips, *(p[1] for p in reversed(split))], upper)
    c.poly([*right, *((x - 26, y) for x, y in reversed(right))], "#00000030")
    shine = [(x + 22, y) for x, y in left[1:-1]]
    c.line(shine, "#ffffff60", 7)
    c.oval(cx, top, half_top, half_top * 0.2, "#00000070")
    c.ring(cx, top, half_top, half_top * 0.2, upper, 3)


def _spread(first: float, last: float, count: int) -> list[float]:
    return [first + (last - first) * i / (count - 1) for i in range(count)]


def ash_vases(c: Canvas) -> None:
    """Three vessels with runny ash glazes."""
    table(c, ("#d8d3c6", "#bfb8a8"), "#8b6b4d")
    vessel(c, 110, 140, 170, JAR, ("#8a5a3c", "#b7b78a"))
    vessel(c, 250, 84, 236, VASE, ("#6e4a36", "#7f9a86"))
    vessel(c, 388, 160, 156, JAR, ("#94633f", "#c9b27c"))
    c.mottle(0.07)


def wheel(c: Canvas) -> None:
    """A wet bowl on the potter's wheel."""
    c.gradient(0, 360, "#cdd6d3", "#a3aeaa")
    c.oval(240, 306, 190, 42, "#6f7776")
    c.oval(240, 298, 190, 42, "#8f9897")
    for reach in (60, 100, 140, 176):
        c.ring(240, 298, reach, reach * 0.22, "#6f777660", 2)
    vessel(c, 240, 170, 124, BOWL, ("#a5806a", "#b08c74"))
    for k in range(6):
        c.arc(240, 120 + k * 13, 100 - k * 4, 50, 130, "#7d5d4a70", 2)
    c.oval(240, 170, 100, 19, "#6d5040")
    c.mottle(0.06)


def tea_bowl(c: Canvas) -> None:
    """A black tea bowl with a gold-mended crack."""
    table(c, ("#e5dccb", "#cfc1a5"), "#6e7a52")
    vessel(c, 240, 132, 176, BOWL, ("#3b2d28", "#231c1b"))
    c.oval(240, 134, 98, 17, "#7d9a4a")
    c.line([(316, 140), (300, 178), (314, 204), (292, 236), (298, 256)], "#d9b04a", 4)
    c.line([(300, 178), (270, 190)], "#d9b04a", 3)
    c.mottle(0.06)


def kiln(c: Canvas, chambers: int) -> None:
    """A kiln under a roof; with several chambers it climbs the slope."""
    c.gradient(0, 250, "#5d7f99", "#f0d9b5")
    c.ridge(200, 30, 1.2, "#6c8466")
    slope = 26.0 if chambers > 1 else 0.0
    c.poly([(0, 326), (480, 326 - slope * 5), (480, 360), (0, 360)], "#7a6248")
    step = 360 / chambers
    for k in range(chambers):
        cx, foot = 60 + step * (k + 0.5), 326 - slope * (k + 0.6)
        reach = min(step * 0.56, 120)
        c.oval(cx, foot - reach * 0.35, reach, reach * 0.86, "#b08763")
        c.rect(cx - reach, foot - reach * 0.35, cx + reach, foot + 14, "#a67d5a")
        c.oval(cx, foot - reach * 0.2, reach * 0.3, reach * 0.36, "#3a1c10")
        c.oval(cx, foot - reach * 0.16, reach * 0.2, reach * 0.26, "#f08a24")
        c.oval(cx, foot - reach * 0.1, reach * 0.1, reach * 0.16, "#ffe08a")
    rise = slope * 3.4
    for x in (34, 240, 446):
        c.rect(x - 5, 140 - rise * (x / 480) + 20, x + 5, 330 - slope * x / 110, "#5a4634")
    c.poly([(8, 158), (468, 158 - rise), (440, 118 - rise), (40, 118)], "#564a44")
    for k in range(5):
        c.oval(420 + k * 9, 100 - rise - k * 17 + 20, 12 + 4 * k, 9 + 3 * k, "#e6e2dc60")
    c.mottle(0.06)


def paper_sheets(c: Canvas) -> None:
    """Sheets of hand-made paper drying on boards."""
    c.gradient(0, 360, "#9dc3d8", "#dfe9df")
    c.ridge(150, 26, 1.1, "#88a68f")
    c.gradient(196, 360, "#a8ba86", "#7f9563")
    for k in range(4):
        x, drop = 28 + k * 112, 8 * (k % 2)
        c.poly([(x, 96 + drop), (x + 96, 90 + drop), (x + 102, 318), (x + 4, 324)], "#9b7148")
        c.poly([(x + 9, 108 + drop), (x + 87, 103 + drop), (x + 92, 304), (x + 12, 308)], "#f8f2e2")
        for _ in range(26):
            px, py = x + c.rng.uniform(14, 78), c.rng.uniform(118, 296)
            c.line([(px, py), (px + c.rng.uniform(3, 11), py + c.rng.uniform(-4, 4))], "#cbb98f90", 1)
    c.mottle(0.05)


def kozo_branch(c: Canvas) -> None:
    """A mulberry twig with toothed leaves and peeled bark strips."""
    c.gradient(0, 360, "#f4efe2", "#e2d9c3")
    c.line([(40, 320), (160, 230), (300, 160), (450, 60)], "#7b5a3e", 9)
    for x, y, size, turn in (
        (120, 258, 92, -120),
        (170, 226, 96, 30),
        (250, 184, 104, -110),
        (310, 156, 100, 40),
        (380, 110, 88, -120),
        (430, 76, 74, 50),
    ):
        leaf(c, x, y, size, turn, "#5d9150")
        for k in (0.3, 0.5, 0.7):
            px, py = x + size * k * math.cos(math.radians(turn)), y + size * k * math.sin(math.radians(turn))
            for side in (-40, 40):
                a = math.radians(turn + side)
                c.line([(px, py), (px + size * 0.2 * math.cos(a), py + size * 0.2 * math.sin(a))], "#dcebcf80", 1.3)
    for k in range(6):
        c.line([(290 + k * 22, 250), (286 + k * 24, 300), (296 + k * 20, 350)], "#d9c69a", 9)
    c.mottle(0.05)


def indigo_cloth(c: Canvas) -> None:
    """A stitched-resist pattern of white rings on indigo."""
    c.gradient(0, 360, "#24407a", "#182a55")
    for row in range(5):
        for column in range(7):
            x, y = 34 + column * 70 + (35 if row % 2 else 0), 40 + row * 72
            for reach, tone in ((27, "#dfe8f6e0"), (18, "#3b5ea3f0"), (10, "#e9f0fae0"), (4, "#1d3366")):
                c.blob(x, y, reach, reach, tone, 0.13)
    c.mottle(0.08)


def seigaiha(c: Canvas) -> None:
    """The overlapping wave pattern, in three blues."""
    for row in range(-1, 15):
        for column in range(-1, 9):
            x, y = column * 60 + (30 if row % 2 else 0), 20 + row * 26
            for k, tone in enumerate(("#1f4e79", "#f4efe0", "#3f7fae", "#f4efe0", "#8fb8d4", "#f4efe0")):
                c.oval(x, y + 26, 31 - k * 5, 31 - k * 5, tone)


def knot(c: Canvas) -> None:
    """A reef knot: two interlocked bights."""
    c.gradient(0, 360, "#5e7f8c", "#36525e")

    def rope(points: list[Point]) -> None:
        c.line(points, "#3a2a1a80", 36)
        c.line(points, "#e2cfa3", 30)
        for (x0, y0), (x1, y1) in pairwise(points):
            for k in range(5):
                x, y = x0 + (x1 - x0) * k / 5, y0 + (y1 - y0) * k / 5
                c.line([(x - 8, y - 9), (x + 8, y + 9)], "#a98b5590", 3)

    upper = [
        (0.0, 130.0),
        (90.0, 132.0),
        (190.0, 150.0),
        (270.0, 150.0),
        (308.0, 180.0),
        (270.0, 214.0),
        (190.0, 214.0),
        (90.0, 230.0),
        (0.0, 232.0),
    ]
    lower = [(480 - x, y) for x, y in upper]
    rope(upper)
    for strand in (lower[:4], lower[5:], lower[3:6], upper[1:3], upper[5:7]):
        rope(strand)
    c.mottle(0.05)
