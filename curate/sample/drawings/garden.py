"""Garden scenes of the sample crawl: beds, compost, trees, hives, tools.

These are illustrations for invented articles, not drawings to build from.
"""

import math

from curate.sample.drawings.canvas import Canvas


def lawn(c: Canvas, horizon: float = 220) -> None:
    """Mild sky, hedge and grass."""
    c.gradient(0, horizon, "#9fd0e6", "#eef6ea")
    c.ridge(horizon - 6, 12, 1.6, "#7fa870")
    c.gradient(horizon + 8, 360, "#8dba62", "#5f8f42")
    for _ in range(90):
        x, y = c.rng.uniform(0, 480), c.rng.uniform(horizon + 12, 358)
        c.line([(x, y), (x + c.rng.uniform(-2, 2), y - 7)], "#4f7d3766", 1.2)


def compost(c: Canvas) -> None:
    """A cut through a compost heap: twigs, leaves, kitchen scraps, soil."""
    lawn(c, 120)
    layers = (
        (292, 44, "#6b4a2f"),
        (254, 40, "#8d6b3b"),
        (216, 40, "#6f8a3c"),
        (178, 40, "#a8853f"),
        (146, 34, "#4f3a28"),
    )
    for base, tall, tone in layers:
        half = 176 - (320 - base) * 0.22
        c.trapezoid(240, base, half - 8, base + tall, half, tone)
        for _ in range(46):
            x, y = 240 + c.rng.uniform(-half + 14, half - 14), base + c.rng.uniform(5, tall - 4)
            turn, reach = c.rng.uniform(0, math.pi), c.rng.uniform(4, 13)
            end = (x + reach * math.cos(turn), y + reach * 0.4 * math.sin(turn))
            c.line([(x, y), end], c.rng.choice(("#ffffff38", "#00000040", "#e2b95a80", "#b5462f70")), 3)
    for x in (52, 428):
        c.rect(x - 9, 116, x + 9, 346, "#7a5a3c")
    for y in (140.0, 186.0, 232.0, 278.0, 324.0):
        c.rect(43, y, 66, y + 12, "#946f4b")
        c.rect(414, y, 437, y + 12, "#946f4b")
    c.mottle(0.05)


def tomatoes(c: Canvas) -> None:
    """A truss of ripening tomatoes with basil leaves."""
    c.gradient(0, 360, "#eaf2dc", "#c5d9a8")
    for _ in range(12):
        c.blob(c.rng.uniform(0, 480), c.rng.uniform(0, 360), 40, 18, "#9dbf7a50", 0.2)
    c.line([(240, 0), (236, 90), (246, 210), (238, 300)], "#5d8a3c", 9)
    for x, y, reach, tone in (
        (176, 130, 46, "#d3352b"), (300, 150, 48, "#dd4a2e"), (186, 232, 44, "#e2703a"),
        (296, 250, 42, "#e99a45"), (242, 316, 34, "#b8c45a"),
    ):  # fmt: skip
        c.line([(242, y - 40), (x, y - reach + 6)], "#5d8a3c", 5)
        c.blob(x, y, reach, reach * 0.92, tone, 0.03)
        c.oval(x - reach * 0.35, y - reach * 0.35, reach * 0.24, reach * 0.16, "#ffffff90")
        for k in range(5):
            a = math.radians(72 * k - 90)
            c.line([(x, y - reach + 6), (x + 20 * math.cos(a), y - reach + 8 + 11 * math.sin(a))], "#3f6d2e", 5)
    for x, y, turn in ((70, 240, 20), (96, 286, -20), (52, 310, 60), (410, 70, 200), (430, 320, 160)):
        leaf(c, x, y, 52, turn, "#4d9140")
    c.mottle(0.04)


def leaf(c: Canvas, x: float, y: float, size: float, turn: float, tone: str) -> None:
    """A pointed leaf with a midrib."""
    a = math.radians(turn)
    along, across = (math.cos(a), math.sin(a)), (-math.sin(a), math.cos(a))
    points = []
    for step in range(33):
        t = step / 16 if step <= 16 else (32 - step) / 16
        side = 1 if step <= 16 else -1
        swell = side * size * 0.3 * math.sin(math.pi * t**0.8)
        points.append((x + along[0] * size * t + across[0] * swell, y + along[1] * size * t + across[1] * swell))
    c.poly(points, tone)
    c.line([(x, y), (x + along[0] * size * 0.92, y + along[1] * size * 0.92)], "#ffffff60", 1.6)


def raised_bed(c: Canvas) -> None:
    """A raised bed of larch boards with lettuces, leeks and carrots."""
    lawn(c, 170)
    c.poly([(60, 214), (420, 214), (446, 250), (34, 250)], "#4a3526")
    for row, tone in enumerate(("#7fb44d", "#9c3f63", "#5c9b4a")):
        for x in range(66 - row * 8, 432 + row * 8, 36):
            for k in range(7):
                leaf(c, x + row * 6, 216 + row * 14, c.rng.uniform(20, 30), -90 + (k - 3) * 25, tone)
    for k in range(4):
        c.rect(34, 250 + k * 23, 446, 271 + k * 23, ("#b78a5b", "#a97c4f")[k % 2])
        c.line([(40, 258 + k * 23), (440, 260 + k * 23)], "#7d583650", 1.6)
    for x in (34, 234, 434):
        c.rect(x, 246, x + 12, 348, "#8a6440")
    c.mottle(0.04)


def apple_tree(c: Canvas) -> None:
    """An open-crowned apple tree with a ladder."""
    lawn(c, 240)
    c.poly([(222, 320), (232, 220), (226, 170), (250, 170), (252, 220), (266, 320)], "#6b4d37")
    for tip in ((140, 120), (190, 84), (246, 70), (308, 90), (352, 132)):
        c.line([(240, 210), ((240 + tip[0]) / 2, (190 + tip[1]) / 2), tip], "#6b4d37", 8)
    for _ in range(34):
        a, reach = c.rng.uniform(0, math.tau), c.rng.uniform(20, 120)
        x, y = 246 + reach * 1.25 * math.cos(a), 118 + reach * 0.72 * math.sin(a)
        c.blob(x, y, 32, 22, c.rng.choice(("#5f9a45c0", "#4d8539c0", "#78ad56c0")), 0.2)
    for _ in range(22):
        a, reach = c.rng.uniform(0, math.tau), c.rng.uniform(10, 124)
        c.oval(
            246 + reach * 1.2 * math.cos(a),
            120 + reach * 0.7 * math.sin(a),
            8,
            8,
            c.rng.choice(("#c8322b", "#d9663a")),
        )
    for x in (330, 366):
        c.line([(x + 24, 330), (x - 30, 150)], "#b08a56", 6)
    for k in range(7):
        c.line([(350 - k * 8, 316 - k * 24), (386 - k * 8, 316 - k * 24)], "#b08a56", 4)
    c.mottle(0.05)


def beehive(c: Canvas) -> None:
    """Two hives with bees at the entrance."""
    lawn(c, 200)
    for left, tones in ((90, ("#e3b94e", "#d9a93c")), (270, ("#8fb7c9", "#7ca7bb"))):
        c.rect(left - 4, 304, left + 124, 314, "#5b4632")
        for leg in (left + 8, left + 100):
            c.rect(leg, 312, leg + 10, 338, "#5b4632")
        for k in range(3):
            c.rect(left, 160 + k * 48, left + 120, 208 + k * 48, tones[k % 2])
            c.line([(left, 208 + k * 48), (left + 120, 208 + k * 48)], "#00000040", 2)
            c.rect(left + 46, 178 + k * 48, left + 74, 186 + k * 48, "#00000030")
        c.rect(left - 8, 146, left + 128, 162, "#9a9a97")
        c.rect(left + 30, 294, left + 90, 303, "#2b2118")
    for _ in range(26):
        x, y = c.rng.uniform(50, 430), c.rng.uniform(110, 310)
        c.oval(x - 2, y - 4, 4.4, 3, "#ffffffb0")
        c.oval(x, y, 5.4, 3.4, "#d99a1f")
        c.line([(x - 1, y - 3), (x - 1, y + 3)], "#2b2118", 1.6)
        c.line([(x + 2, y - 3), (x + 2, y + 3)], "#2b2118", 1.6)
    c.mottle(0.04)


def nest_box(c: Canvas) -> None:
    """A nest box on a birch trunk with a tit in the hole."""
    c.gradient(0, 360, "#cfe5d6", "#a9cba0")
    for _ in range(16):
        c.blob(c.rng.uniform(0, 480), c.rng.uniform(0, 360), 60, 40, "#7fb07730", 0.2)
    c.rect(60, 0, 150, 360, "#efece4")
    for _ in range(20):
        x, y = c.rng.uniform(62, 130), c.rng.uniform(0, 356)
        c.poly([(x, y), (x + 24, y + 2), (x + 20, y + 7), (x + 3, y + 6)], "#3f3a36b0")
    c.rect(142, 70, 160, 330, "#7a5a3c")
    c.poly([(160, 96), (320, 118), (320, 300), (160, 300)], "#b78a5b")
    for y in (150, 200, 250):
        c.line([(160, y), (320, y + 4)], "#8a633f70", 2)
    c.poly([(148, 86), (340, 112), (340, 126), (148, 102)], "#6d4f38")
    c.oval(242, 176, 33, 33, "#2a1d14")
    c.oval(242, 186, 23, 22, "#f0d54a")
    c.oval(242, 172, 20, 17, "#22303f")
    c.oval(232, 177, 8, 6, "#f7f7f2")
    c.oval(252, 177, 8, 6, "#f7f7f2")
    c.oval(236, 170, 2.6, 2.6, "#ffffff")
    c.oval(249, 170, 2.6, 2.6, "#ffffff")
    c.poly([(237, 178), (247, 178), (242, 187)], "#1b1b1b")
    c.mottle(0.05)


def watering_can(c: Canvas) -> None:
    """A zinc can pouring over seedlings."""
    lawn(c, 230)
    c.poly([(0, 306), (480, 300), (480, 360), (0, 360)], "#5a402d")
    for stem in range(24, 240, 34):
        for turn in (-130, -90, -50):
            leaf(c, stem, 314, 28, turn, "#6fae45")
    c.poly([(262, 130), (388, 118), (400, 262), (276, 274)], "#9fb0b5")
    c.poly([(346, 122), (388, 118), (400, 262), (362, 266)], "#00000028")
    c.oval(325, 124, 64, 15, "#7f9297")
    c.line([(272, 226), (196, 170), (140, 138)], "#92a4aa", 17)
    c.poly([(118, 122), (152, 108), (146, 164), (108, 156)], "#7f9297")
    c.arc(396, 192, 52, -95, 95, "#8698a0", 11)
    c.arc(325, 118, 58, 185, 355, "#8698a0", 10)
    for _ in range(60):
        t = c.rng.random()
        x, y = 118 - 46 * t + c.rng.uniform(-20, 16), 150 + 150 * t * t + c.rng.uniform(-4, 10)
        c.line([(x, y), (x - 3, y + 9)], "#d9f0fbd0", 2)
    c.mottle(0.04)


def vegetable_basket(c: Canvas) -> None:
    """A wide teaser: a basket with beets, carrots and leaves (frame 480 x 320)."""
    c.gradient(0, 320, "#f3ead6", "#e0cfac")
    for x, tone in ((130, "#8e2f57"), (178, "#a23a66"), (300, "#8e2f57"), (350, "#a23a66")):
        for turn in (-120, -95, -70):
            leaf(c, x, 136, 92, turn, "#5b9a49")
        c.blob(x, 160, 34, 32, tone, 0.05)
    for x, turn in ((218, -100), (240, -90), (262, -80)):
        for k in (-14, 0, 14):
            leaf(c, x, 116, 70, turn + k, "#7fb65a")
        c.poly([(x - 15, 114), (x + 15, 114), (x + 2, 210)], "#e58a35")
    c.poly([(84, 166), (396, 166), (360, 290), (120, 290)], "#a97843")
    for row in range(6):
        for column in range(14):
            left, y = 94 + row * 5 + column * (21.4 - row * 0.7), 172 + row * 20
            c.rect(left, y, left + 13, y + 9, ("#c6965c", "#8b5e31")[(row + column) % 2])
    c.rect(78, 158, 402, 174, "#8b5e31")
