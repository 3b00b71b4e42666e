"""Mountain and sky scenes of the sample crawl: ridges, huts, clouds, moon, leaves, fields.

These are illustrations for invented articles, not views of a real place.
"""

import math

from curate.sample.drawings.canvas import Canvas, Point
from curate.sample.drawings.coast import bird, stars

# mood: sky top, sky bottom, then the ridges from far to near
MOODS = {
    "dawn": ("#44518c", "#f9c9a0", ("#c99aa5", "#96789c", "#62588a", "#383a63", "#1f2340")),
    "blue": ("#6fb0dc", "#e8f3f7", ("#b3cbd9", "#86a8bd", "#5c839c", "#3c6277", "#27434f")),
    "autumn": ("#8db6c9", "#f6ead0", ("#a9b3b0", "#b58b5a", "#b4632f", "#8c4425", "#4d2c1f")),
    "winter": ("#7f9dbf", "#e9eff6", ("#d4deea", "#b6c6d8", "#e3eaf2", "#f1f5fa", "#ffffff")),
}


def ranges(c: Canvas, mood: str) -> None:
    """Sky and five ridges, paler the farther."""
    top, bottom, tones = MOODS[mood]
    c.gradient(0, 260, top, bottom)
    if mood == "dawn":
        c.glow(300, 190, 140, "#ffe9c4")
        c.oval(300, 176, 20, 20, "#fff6e0")
    for i, tone in enumerate(tones):
        c.ridge(186 + 40 * i, 66 - 8 * i, 0.9 + 0.35 * i, tone)


def ridge_view(c: Canvas, mood: str) -> None:
    """Layered ridges with a few birds."""
    ranges(c, mood)
    for _ in range(4):
        bird(c, c.rng.uniform(70, 230), c.rng.uniform(40, 110), 14, "#2b2f45")
    c.mottle(0.05)


def fir(c: Canvas, x: float, foot: float, tall: float, tone: str) -> None:
    """A fir of three tiers."""
    c.rect(x - 2, foot - 6, x + 2, foot + 4, "#4a3527")
    for i in range(3):
        y = foot - tall * (0.28 * i)
        half = tall * (0.26 - 0.06 * i)
        c.poly([(x - half, y), (x, y - tall * 0.46), (x + half, y)], tone)


def hut(c: Canvas, mood: str) -> None:
    """A timber hut below the ridge, with firs and a lit window."""
    ranges(c, mood)
    snow = mood == "winter"
    c.poly([(0, 286), (140, 270), (330, 276), (480, 296), (480, 360), (0, 360)], "#f4f7fb" if snow else "#6f8f4e")
    for x, tall in ((40, 96), (78, 70), (404, 108), (446, 80)):
        fir(c, x, 296, tall, "#2f5144" if not snow else "#41685c")
    c.rect(166, 214, 310, 288, "#8a5a3a")
    for y in range(222, 288, 10):
        c.line([(166, y), (310, y)], "#5e3b2680", 1.4)
    c.rect(166, 278, 310, 292, "#8d8a84")
    c.poly([(148, 220), (238, 152), (328, 220)], "#f7f9fc" if snow else "#5b4238")
    c.poly([(238, 152), (328, 220), (312, 220), (238, 164)], "#00000028")
    c.rect(274, 160, 290, 196, "#77706a")
    for i in range(4):
        c.oval(284 + i * 9, 146 - i * 17, 8 + i * 3, 6 + i * 2, "#ffffff70")
    c.rect(222, 240, 250, 289, "#4b2e22")
    for x in (180, 266):
        c.rect(x, 236, x + 28, 260, "#ffd98a")
        c.line([(x + 14, 236), (x + 14, 260)], "#4b2e22", 2)
        c.line([(x, 248), (x + 28, 248)], "#4b2e22", 2)
    c.mottle(0.05)


def cloud_types(c: Canvas) -> None:
    """Feather, fleece and heap clouds over a low horizon."""
    c.gradient(0, 320, "#3f8ac4", "#dcedf5")
    for _ in range(9):
        x, y = c.rng.uniform(20, 400), c.rng.uniform(20, 74)
        c.line([(x, y + 10), (x + 40, y), (x + 86, y - 5), (x + 110, y - 14)], "#ffffff88", 2.4)
    for row in range(3):
        for column in range(9):
            c.cloud(34 + column * 50 + row * 14, 132 + row * 19, 20, "#ffffffa0")
    c.cloud(150, 286, 150, "#fffffff0")
    c.cloud(380, 290, 110, "#f3f6f9f0")
    c.gradient(318, 360, "#7ea35a", "#55783f")
    c.mottle(0.03)


def snow_crystal(c: Canvas) -> None:
    """One six-armed snow crystal."""
    c.gradient(0, 360, "#1d3557", "#4f7ca8")
    for _ in range(60):
        reach = c.rng.uniform(0.8, 2.6)
        c.oval(c.rng.uniform(0, 480), c.rng.uniform(0, 360), reach, reach, "#ffffff60")
    for arm in range(6):
        a = math.radians(60 * arm + 30)
        tip = (240 + 148 * math.cos(a), 180 + 148 * math.sin(a))
        c.line([(240, 180), tip], "#f1f8ff", 7)
        for share, length in ((0.34, 30), (0.55, 48), (0.74, 34), (0.9, 16)):
            x, y = 240 + 148 * share * math.cos(a), 180 + 148 * share * math.sin(a)
            for side in (-1, 1):
                b = a + side * math.radians(60)
                c.line([(x, y), (x + length * math.cos(b), y + length * math.sin(b))], "#dcecfa", 4.5)
    hexagon = [(240 + 34 * math.cos(math.radians(60 * k)), 180 + 34 * math.sin(math.radians(60 * k))) for k in range(6)]
    c.poly(hexagon, "#f8fcff")
    c.ring(240, 180, 17, 17, "#9fc0dc", 3)


def moon_phases(c: Canvas) -> None:
    """Seven phases, waxing from the right-hand crescent and waning to the left-hand one."""
    c.gradient(0, 360, "#0c1430", "#27315c")
    stars(c, 120, 360)
    for i in range(7):
        share = (i + 1) / 8
        cx, cy, reach = 60 + i * 60, 180 + 64 * math.cos(i / 6 * math.tau) - 30, 24.0
        c.oval(cx, cy, reach, reach, "#2c365f")
        edge: list[Point] = []
        for step in range(49):
            a = -math.pi / 2 + math.pi * step / 48
            lit = 1 if share <= 0.5 else -1
            edge.append((cx + lit * reach * math.cos(a), cy + reach * math.sin(a)))
        bulge = math.cos(math.tau * share) * (1 if share <= 0.5 else -1)
        for step in range(49):
            a = math.pi / 2 - math.pi * step / 48
            edge.append((cx + bulge * reach * math.cos(a), cy + reach * math.sin(a)))
        c.poly(edge, "#f3edd2")
    c.ridge(316, 26, 1.2, "#0a0f22")


def night_sky(c: Canvas) -> None:
    """Stars and a pale band over dark ridges."""
    c.gradient(0, 360, "#070d24", "#35477d")
    for _ in range(420):
        t = c.rng.uniform(0, 1)
        x, y = 60 + 400 * t + c.rng.gauss(0, 26), 280 - 270 * t + c.rng.gauss(0, 26)
        c.oval(x, y, 1, 1, "#cdd8ff60")
    stars(c, 130, 290)
    c.ridge(300, 40, 1.0, "#131a38")
    c.ridge(330, 26, 1.5, "#080c1c")


def maple_leaf(c: Canvas, x: float, y: float, size: float, turn: float, tone: str) -> None:
    """A seven-lobed maple leaf."""
    points: list[Point] = []
    for lobe in range(7):
        a = math.radians(turn + (lobe - 3) * 42)
        reach = size * (1 - 0.09 * abs(lobe - 3))
        for offset, share in ((-17, 0.36), (-6, 0.78), (0, 1.0), (6, 0.78), (17, 0.36)):
            b = a + math.radians(offset)
            points.append((x + reach * share * math.cos(b), y + reach * share * math.sin(b)))
    c.poly(points, tone)
    back = math.radians(turn + 180)
    c.line([(x, y), (x + size * 0.7 * math.cos(back), y + size * 0.7 * math.sin(back))], tone, 2.2)
    for lobe in range(7):
        a = math.radians(turn + (lobe - 3) * 42)
        c.line([(x, y), (x + size * 0.7 * math.cos(a), y + size * 0.7 * math.sin(a))], "#ffffff40", 1)


def maple(c: Canvas) -> None:
    """Red and amber maple leaves before a pale wood."""
    c.gradient(0, 360, "#efe6cf", "#cfd8b8")
    for _ in range(7):
        x = c.rng.uniform(0, 480)
        c.rect(x, 0, x + c.rng.uniform(6, 16), 360, "#8a7f6a30")
    c.line([(0, 70), (150, 96), (300, 78), (480, 128)], "#5b4334", 6)
    tones = ("#b3261e", "#d1492e", "#e07b39", "#c7362c", "#e8a33d")
    for _ in range(26):
        x, y = c.rng.uniform(10, 470), c.rng.uniform(40, 330)
        maple_leaf(c, x, y, c.rng.uniform(24, 46), c.rng.uniform(50, 130), c.rng.choice(tones))
    c.mottle(0.04)


def furrows(c: Canvas, tones: tuple[str, str], horizon: float, far: float) -> None:
    """Rows that run together at the horizon."""
    for i in range(-14, 15):
        foot = 240 + i * 62
        c.poly([(240 + i * far, horizon), (240 + (i + 1) * far, horizon), (foot + 62, 360), (foot, 360)], tones[i % 2])


def tea_field(c: Canvas) -> None:
    """Clipped rows of tea below blue hills."""
    c.gradient(0, 170, "#8cc3e0", "#eef6ef")
    c.ridge(140, 30, 1.0, "#9db9bf")
    c.ridge(160, 22, 1.4, "#6f9a80")
    for i in range(9):
        y, tone = 176 + i * i * 2.6, ("#3f7d3a", "#4f9145")[i % 2]
        reach = 8 + i * 4.2
        for x in range(-20, 520, 12):
            c.oval(x + c.rng.uniform(-3, 3), y + 10 * math.sin(x / 95 + i * 0.2), 12 + i, reach * 0.6, tone)
            c.oval(x, y - reach * 0.25 + 10 * math.sin(x / 95 + i * 0.2), 10, reach * 0.25, "#8fc46a90")
    c.mottle(0.04)


def rye_field(c: Canvas) -> None:
    """Ripe rye with one path, ears in front."""
    c.gradient(0, 190, "#74b2d8", "#f1f3e2")
    c.cloud(120, 90, 64)
    c.cloud(360, 70, 80)
    c.ridge(186, 14, 1.2, "#7d9a62")
    c.gradient(200, 360, "#e3bf62", "#b98930")
    furrows(c, ("#e0b955", "#d0a544"), 200, 7)
    for _ in range(34):
        x, top = c.rng.uniform(0, 480), c.rng.uniform(206, 270)
        lean = c.rng.uniform(-16, 16)
        c.line([(x, 360), (x + lean * 0.4, (360 + top) / 2), (x + lean, top)], "#8a6a25", 2)
        for k in range(6):
            c.oval(x + lean + (-3 if k % 2 else 3), top - 2 + k * 5, 3.4, 5, "#f0d079")
        c.line([(x + lean, top), (x + lean * 1.3, top - 22)], "#d9b75c", 1)
    c.mottle(0.04)
