"""Coast scenes of the sample crawl: lighthouses, boats, sea birds, and the museum's instruments.

These are illustrations for invented articles, not views of a real place.
"""

import math

from curate.sample.drawings.canvas import Canvas

# mood: sky top, sky bottom, sea top, sea bottom, headland
MOODS = {
    "day": ("#5fa8d3", "#d9eef7", "#2f7ea3", "#14506e", "#5b7f4b"),
    "dusk": ("#3d3a6b", "#f2a65a", "#b5656b", "#3a3157", "#2c2a3d"),
    "night": ("#0b1533", "#2b4370", "#1b2f57", "#0a1530", "#131a2b"),
    "mist": ("#a9b8bf", "#dfe5e4", "#8fa5ab", "#5d7780", "#6c7a6e"),
}


def open_sea(c: Canvas, mood: str, horizon: float) -> None:
    """Sky and sea of one mood, with broken lines of light on the water."""
    sky_top, sky_bottom, sea_top, sea_bottom, _ = MOODS[mood]
    c.gradient(0, horizon, sky_top, sky_bottom)
    c.gradient(horizon, c.height, sea_top, sea_bottom)
    for _ in range(70):
        depth = c.rng.random() ** 1.6
        y = horizon + 4 + depth * (c.height - horizon)
        x, length = c.rng.uniform(-20, c.width), 8 + 46 * depth
        c.line([(x, y), (x + length / 2, y - 1.5), (x + length, y)], "#ffffff38", 0.8 + 1.2 * depth)


def stars(c: Canvas, count: int, below: float) -> None:
    """Stars of uneven size over the upper part of the frame."""
    for _ in range(count):
        reach = c.rng.uniform(0.4, 1.5)
        c.oval(c.rng.uniform(0, c.width), c.rng.uniform(0, below), reach, reach, "#ffffffd0")


def sky_body(c: Canvas, mood: str, horizon: float) -> None:
    """Sun, moon with stars, or clouds, as the mood asks."""
    if mood == "dusk":
        c.glow(340, horizon - 14, 120, "#ffe2a0")
        c.oval(340, horizon - 10, 24, 24, "#fff0c4")
        c.gradient(horizon, horizon + 6, "#d98a6a", "#c77a6a")
    elif mood == "night":
        stars(c, 90, horizon - 10)
        c.oval(396, 56, 20, 20, "#f4efd9")
        c.oval(404, 51, 18, 18, MOODS["night"][0])
    elif mood == "day":
        for x, y, size in ((110, 82, 60), (380, 60, 74), (260, 130, 44)):
            c.cloud(x, y, size)


def tower(c: Canvas, cx: float, foot: float, tall: float, bands: str, light: bool) -> None:
    """A banded lighthouse tower with gallery, lantern and dome."""
    top, colours = foot - tall, ("#f6f3ea", bands)
    for i in range(5):
        y0, y1 = top + tall * i / 5, top + tall * (i + 1) / 5
        half0, half1 = 15 + 11 * i / 5, 15 + 11 * (i + 1) / 5
        c.trapezoid(cx, y0, half0, y1, half1, colours[i % 2])
    c.poly([(cx + 4, top), (cx + 15, top), (cx + 26, foot), (cx + 8, foot)], "#00000030")
    for share in (0.3, 0.55, 0.78):
        c.rect(cx - 3, top + tall * share, cx + 3, top + tall * share + 10, "#33415c")
    c.rect(cx - 6, foot - 22, cx + 6, foot, "#4a2f27")
    c.rect(cx - 21, top - 4, cx + 21, top + 2, "#2f3640")
    for x in range(-20, 21, 8):
        c.line([(cx + x, top - 4), (cx + x, top - 13)], "#2f3640", 1)
    c.line([(cx - 20, top - 13), (cx + 20, top - 13)], "#2f3640", 1.2)
    c.rect(cx - 10, top - 28, cx + 10, top - 4, "#ffe9a8" if light else "#bcd6de")
    c.line([(cx, top - 28), (cx, top - 4)], "#2f3640", 1)
    c.poly([(cx - 13, top - 28), (cx - 8, top - 38), (cx, top - 43), (cx + 8, top - 38), (cx + 13, top - 28)], bands)
    c.line([(cx, top - 43), (cx, top - 52)], "#2f3640", 1.5)


def lighthouse(c: Canvas, mood: str, bands: str = "#c0392b") -> None:
    """A lighthouse on a headland."""
    horizon, cx, foot, tall = 225.0, 160.0, 262.0, 150.0
    open_sea(c, mood, horizon)
    sky_body(c, mood, horizon)
    lit = mood in ("night", "dusk", "mist")
    if lit:
        lamp = foot - tall - 16
        for far, spread in ((c.width + 40, 46), (-60, 34)):
            c.poly([(cx, lamp), (far, lamp - spread), (far, lamp + spread)], "#fff3bf50")
        c.glow(cx, lamp, 44, "#fff0b0")
    land = MOODS[mood][4]
    c.poly([(0, 236), (60, 244), (110, 254), (200, 256), (262, 276), (300, 312), (330, 360), (0, 360)], land)
    c.poly([(210, 262), (262, 276), (300, 312), (330, 360), (260, 360), (240, 300)], "#00000040")
    c.rect(58, 236, 118, 262, "#efe7d6")
    c.poly([(52, 238), (88, 214), (124, 238)], "#7d4b3a")
    c.rect(72, 244, 82, 254, "#ffdf94" if lit else "#54718a")
    tower(c, cx, foot, tall, bands, lit)
    c.mottle()


def boat(c: Canvas, x: float, y: float, size: float, hull: str) -> None:
    """A small sailing boat; `y` is its water line."""
    c.poly([(x - size, y - size * 0.32), (x + size, y - size * 0.32), (x + size * 0.7, y), (x - size * 0.75, y)], hull)
    c.line([(x, y - size * 0.3), (x, y - size * 2.3)], "#4b3a2f", 2)
    c.poly([(x + 3, y - size * 2.2), (x + 3, y - size * 0.5), (x + size * 1.05, y - size * 0.5)], "#fbf6e8")
    c.poly([(x - 3, y - size * 2), (x - 3, y - size * 0.5), (x - size * 0.8, y - size * 0.5)], "#e9dfc8")
    c.poly([(x - size * 0.7, y + 3), (x + size * 0.7, y + 3), (x + size * 0.2, y + size * 1.3)], "#ffffff22")


def harbour(c: Canvas) -> None:
    """A quay with gabled houses and moored boats."""
    open_sea(c, "day", 210)
    sky_body(c, "day", 210)
    walls, x = ("#d98e73", "#e8c98a", "#9fb8a6", "#c7b7c9", "#e3d8c3"), 6.0
    while x < 470:
        wide, tall = c.rng.uniform(44, 66), c.rng.uniform(58, 96)
        c.rect(x, 214 - tall, x + wide, 220, c.rng.choice(walls))
        c.poly([(x - 3, 214 - tall), (x + wide / 2, 190 - tall), (x + wide + 3, 214 - tall)], "#6d4038")
        for row in range(2):
            for column in range(2):
                left, top = x + wide * (0.2 + 0.4 * column), 226 - tall + 30 * row
                c.rect(left, top, left + 9, top + 13, "#43546b")
        x += wide + 2
    c.rect(0, 216, 480, 236, "#8b8378")
    c.rect(0, 216, 480, 220, "#b5ac9e")
    for at, size, hull in ((96, 30, "#27476e"), (232, 38, "#8c2f39"), (384, 33, "#2f6b4f")):
        boat(c, at, 300 - size * 0.5, size, hull)
    c.mottle(0.05)


def sailing(c: Canvas) -> None:
    """One boat on an evening sea."""
    open_sea(c, "dusk", 200)
    sky_body(c, "dusk", 200)
    boat(c, 190, 268, 56, "#33233a")
    boat(c, 416, 214, 12, "#33233a")
    c.mottle()


def bird(c: Canvas, x: float, y: float, span: float, tone: str) -> None:
    """A far-off flying bird: two curved wings."""
    lift = span * c.rng.uniform(0.18, 0.4)
    for side in (-1, 1):
        c.line([(x, y), (x + side * span * 0.3, y - lift), (x + side * span * 0.62, y - lift * 0.6)], tone, span * 0.09)
    c.oval(x, y + span * 0.02, span * 0.09, span * 0.13, tone)


def geese(c: Canvas, dawn: bool = False) -> None:
    """A skein of geese in a V before a low sun: over dark hills at dusk, over a pale lake at dawn."""
    c.gradient(0, 360, *(("#7fa6c4", "#fbe3cf") if dawn else ("#4b4e83", "#f6b26b")))
    sun = (110, 214) if dawn else (330, 250)
    c.glow(*sun, 150, "#ffe6ad")
    c.oval(*sun, 34, 34, "#fff1cc")
    for base, tone in (
        ((250, "#9aaebb"), (264, "#7b93a3")) if dawn else ((300, "#6b5a72"), (322, "#4b4159"), (342, "#2e2a3d"))
    ):
        c.ridge(base, 10, 1.4, tone)
    if dawn:
        c.gradient(272, 360, "#cfdbe0", "#8fabba")
        for _ in range(30):
            x, y = c.rng.uniform(0, 460), c.rng.uniform(276, 356)
            c.line([(x, y), (x + 40, y)], "#ffffff66", 1.4)
    head = (330, 60, -1) if dawn else (150, 70, 1)
    for i in range(9):
        bird(c, head[0] + head[2] * i * 26, head[1] + i * 17 + c.rng.uniform(-3, 3), 26, "#241f33")
        if 0 < i < 7:
            bird(c, head[0] - head[2] * i * 17, head[1] + i * 19 + c.rng.uniform(-3, 3), 24, "#241f33")
    c.mottle()


def wader(c: Canvas, breast: str = "#c47a4a", back: str = "#7b5b45") -> None:
    """A long-billed wader standing in shallow water."""
    c.gradient(0, 230, "#cfe3e6", "#eef0e2")
    c.gradient(230, 360, "#9fc0bf", "#5d8d90")
    c.ridge(226, 8, 1.1, "#b6c2a1")
    c.gradient(244, 360, "#a5c5c3", "#5d8d90")
    for x in (222, 250):
        c.line([(x, 232), (x - 4, 278), (x + 2, 318)], "#3f3a34", 4)
        c.ring(x + 2, 318, 26, 5, "#ffffff70", 1.5)
    c.poly([(300, 178), (352, 216), (290, 224)], back)
    c.blob(240, 196, 76, 44, breast, 0.05)
    c.poly([(196, 172), (250, 152), (330, 196), (344, 214), (262, 220), (214, 202)], back)
    for i in range(7):
        c.line([(226 + i * 13, 170 + i * 4), (250 + i * 12, 190 + i * 3)], "#f0dcc066", 2)
    c.line([(190, 190), (166, 150), (164, 118)], breast, 26)
    c.oval(160, 108, 21, 19, breast)
    c.poly([(143, 104), (52, 122), (52, 125), (143, 115)], "#3b2f2a")
    c.oval(154, 104, 3.4, 3.4, "#1b1512")
    c.oval(153, 103, 1.2, 1.2, "#ffffff")
    c.line([(140, 100), (170, 96)], "#f3e6d0", 3)
    c.mottle(0.05)


def panorama(c: Canvas) -> None:
    """A very wide strip of coast, for a frame of 1200 x 100."""
    c.gradient(0, 62, "#6fb1d6", "#e7f1ee")
    c.gradient(62, 100, "#3b86a5", "#1d5876")
    c.ridge(62, 10, 3.2, "#7f9f77")
    c.gradient(70, 100, "#3b86a5", "#1d5876")
    for x in range(40, 1200, 96):
        boat(c, x + c.rng.uniform(-20, 20), 88, 9, c.rng.choice(("#27476e", "#8c2f39", "#33233a")))


def fresnel_lens(c: Canvas) -> None:
    """The bull's-eye and prisms of a lens, lamp lit."""
    c.gradient(0, 360, "#16222e", "#2b3a42")
    c.glow(240, 180, 210, "#d8c37a")
    for k in range(9, 0, -1):
        reach = 26 + k * 14
        c.ring(240, 180, reach, reach * 1.08, "#cfe9e6b0" if k % 2 else "#8fc1c0b0", 6)
        c.ring(240, 180, reach - 4, (reach - 4) * 1.08, "#3f6f7480", 2)
    c.oval(240, 180, 33, 36, "#eafbf5")
    c.glow(240, 180, 48, "#fff7cf")
    for angle in range(0, 360, 45):
        a = math.radians(angle + 22.5)
        inner, outer = (
            (240 + 40 * math.cos(a), 180 + 42 * math.sin(a)),
            (240 + 156 * math.cos(a), 180 + 168 * math.sin(a)),
        )
        c.line([inner, outer], "#b98d3fd0", 4)
    c.ring(240, 180, 158, 170, "#b98d3f", 8)


def fog_bell(c: Canvas) -> None:
    """A bronze bell under a timber frame in mist."""
    open_sea(c, "mist", 236)
    c.poly([(0, 292), (150, 276), (340, 280), (480, 300), (480, 360), (0, 360)], "#6c6a60")
    for x0, x1 in ((132, 172), (348, 308)):
        c.line([(x0, 304), (x1, 76)], "#4a3a2c", 15)
    c.rect(150, 66, 330, 86, "#5a4634")
    c.poly([(138, 68), (240, 34), (342, 68)], "#6e4a3c")
    profile = [(216, 104), (264, 104), (278, 150), (290, 196), (310, 224), (170, 224), (190, 196), (202, 150)]
    c.poly(profile, "#a8783a")
    c.poly([(252, 104), (264, 104), (278, 150), (290, 196), (310, 224), (268, 224), (262, 160)], "#00000035")
    c.poly([(220, 106), (230, 106), (216, 190), (200, 216), (190, 216), (206, 170)], "#ffe3a060")
    c.rect(168, 220, 312, 230, "#8a5f2b")
    c.rect(230, 86, 250, 106, "#3b342c")
    c.oval(240, 238, 13, 13, "#4b4238")
    c.mottle(0.1)
