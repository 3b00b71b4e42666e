"""The healthy pictures of the sample crawl: which scene stands at which URL, in which format and size.

Faulty image bodies are in `faults`. A picture has a name here so that the page sources can speak of
"lighthouse-day" and leave its address to this list.
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from PIL import Image

from curate.sample.drawings import charts, coast, craft, garden, marks, mountain
from curate.sample.drawings.canvas import FRAME, Canvas

MUSEUM = "https://harbour-museum.example"
MUSEUM_STATIC = "https://static.harbour-museum.example"
OVEN = "https://oven-and-kiln.example"
GARTEN = "https://garten-werkstatt.example"
YAMA = "https://yama-no-techo.example"
ADS = "https://ads.example"

Scene = Callable[[Canvas], None]
MIME = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp", "gif": "image/gif"}


@dataclass(frozen=True)
class Picture:
    """One picture of the crawl and where it is served."""

    url: str
    scene: Scene
    width: int = 400
    height: int = 300
    frame: tuple[int, int] = FRAME
    seed: int = 1

    @property
    def kind(self) -> str:
        """The file name's ending, which is also its format."""
        return self.url.rsplit(".", 1)[-1]

    @property
    def mime(self) -> str:
        """The right Content-Type."""
        return MIME[self.kind]

    def draw(self) -> Image.Image:
        """The picture as pixels."""
        canvas = Canvas(self.width, self.height, self.seed, self.frame)
        self.scene(canvas)
        return canvas.finish()

    def encode(self) -> bytes:
        """The picture as a file."""
        out = io.BytesIO()
        if self.kind == "jpg":
            self.draw().save(out, "JPEG", quality=66, optimize=True)
        elif self.kind == "webp":
            self.draw().save(out, "WEBP", quality=56, method=6)
        elif self.kind == "png":
            self.draw().quantize(64, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
                out, "PNG", optimize=True
            )
        else:
            self._animate(out)
        return out.getvalue()

    def _animate(self, out: io.BytesIO) -> None:
        frames: list[Image.Image] = []
        for tick in range(4):
            canvas = Canvas(self.width, self.height, self.seed, self.frame)
            craft.oven(canvas, tick)
            frames.append(canvas.finish().quantize(32, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE))
        frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=160, loop=0)


def _rain(c: Canvas) -> None:
    months = ("Jan", "Mär", "Mai", "Jul", "Sep", "Nov")
    charts.bars(c, "Regen je Monat (mm)", months, (62, 48, 71, 83, 57, 66), "#4f8fba")


def _hive_weight(c: Canvas) -> None:
    path = ((0, 0.86), (0.18, 0.8), (0.36, 0.74), (0.55, 0.66), (0.72, 0.5), (0.86, 0.34), (0.93, 0.38), (1, 0.6))
    charts.curve(c, "Stockgewicht im Winter", ("Okt", "Dez", "Feb", "Apr"), path, "#c98a1b", "kg")


def _waders(c: Canvas) -> None:
    names = ("Aug 3", "Aug 17", "Aug 31", "Sep 14", "Sep 28", "Oct 12")
    charts.bars(c, "Waders on the flats at high water", names, (148, 312, 655, 903, 720, 402), "#2a7f9e")


SMALL, MEDIUM, LARGE = (240, 180), (320, 240), (480, 360)
PICTURES: Mapping[str, Picture] = {
    # the museum
    "lighthouse-day": Picture(f"{MUSEUM}/img/lighthouse-day.jpg", partial(coast.lighthouse, mood="day"), *LARGE),
    "lighthouse-dusk": Picture(f"{MUSEUM}/img/lighthouse-dusk.jpg", partial(coast.lighthouse, mood="dusk")),
    "lighthouse-night": Picture(
        f"{MUSEUM}/img/lighthouse-night.webp", partial(coast.lighthouse, mood="night", bands="#1f4e79")
    ),
    "lens-480": Picture(f"{MUSEUM}/img/lens-480.jpg", coast.fresnel_lens, *LARGE),
    "lens-240": Picture(f"{MUSEUM}/img/lens-240.jpg", coast.fresnel_lens, *SMALL),
    "harbour": Picture(f"{MUSEUM}/img/quay-houses.jpg", coast.harbour, seed=7),
    "sailing": Picture(f"{MUSEUM}/img/evening-sail.jpg", coast.sailing),
    "tide-chart": Picture(f"{MUSEUM}/img/tide-curve.png", charts.tide),
    "knot-webp": Picture(f"{MUSEUM}/img/reef-knot.webp", craft.knot),
    "knot-jpg": Picture(f"{MUSEUM}/img/reef-knot.jpg", craft.knot, *MEDIUM),
    "geese": Picture(f"{MUSEUM}/img/geese-at-sunset.jpg", coast.geese, seed=4),
    "wader-count": Picture(f"{MUSEUM}/img/wader-count.png", _waders),
    "wader": Picture(f"{MUSEUM}/img/godwit.jpg", coast.wader, *LARGE),
    "redshank": Picture(
        f"{MUSEUM}/img/redshank.webp", partial(coast.wader, breast="#b9b0a0", back="#6b6257"), *MEDIUM, seed=9
    ),
    "fog-bell": Picture(f"{MUSEUM}/img/fog-bell.jpg", coast.fog_bell),
    "panorama": Picture(f"{MUSEUM}/img/coast-strip.jpg", coast.panorama, 1200, 100, (1200, 100)),
    "compass-rose": Picture(f"{MUSEUM}/img/w_400,h_300/compass-rose.png", charts.compass_rose),
    "island-map": Picture(f"{MUSEUM_STATIC}/charts/island.png", charts.island_map, seed=5),
    # bread and clay
    "round-loaf": Picture(f"{OVEN}/pics/round-loaf.jpg", craft.round_loaf),
    "tin-loaf": Picture(f"{OVEN}/pics/tin-loaf.jpg", craft.tin_loaf),
    "starter-jar": Picture(f"{OVEN}/pics/starter.jpg", craft.starter_jar, *MEDIUM),
    "oven": Picture(f"{OVEN}/pics/oven-flames.gif", craft.oven, *SMALL),
    "ash-vases": Picture(f"{OVEN}/pics/ash-glaze.jpg", craft.ash_vases, *LARGE),
    "wheel": Picture(f"{OVEN}/pics/centring.jpg", craft.wheel),
    "kiln": Picture(f"{OVEN}/pics/kiln.jpg", partial(craft.kiln, chambers=1)),
    "firing": Picture(f"{OVEN}/pics/firing-log.png", charts.firing),
    # garden and hut
    "compost": Picture(f"{GARTEN}/bilder/kompost.jpg", garden.compost),
    "tomatoes": Picture(f"{GARTEN}/bilder/tomaten.jpg", garden.tomatoes),
    "raised-bed": Picture(f"{GARTEN}/bilder/hochbeet%20aus%20l%C3%A4rche.jpg", garden.raised_bed, seed=3),
    "apple-tree": Picture(f"{GARTEN}/bilder/apfelbaum.jpg", garden.apple_tree),
    "beehive": Picture(f"{GARTEN}/bilder/bienen.webp", garden.beehive),
    "hive-weight": Picture(f"{GARTEN}/bilder/stockgewicht.png", _hive_weight),
    "nest-box": Picture(f"{GARTEN}/bilder/nistkasten.jpg", garden.nest_box),
    "watering-can": Picture(f"{GARTEN}/bilder/giesskanne.jpg", garden.watering_can),
    "rain": Picture(f"{GARTEN}/bilder/regen.png", _rain),
    "hut-summer": Picture(f"{GARTEN}/bilder/huette-sommer.jpg", partial(mountain.hut, mood="blue"), *LARGE, seed=2),
    "ridge-blue": Picture(f"{GARTEN}/bilder/grat.webp", partial(mountain.ridge_view, mood="blue"), *LARGE, seed=6),
    "contour-map": Picture(f"{GARTEN}/bilder/hoehenlinien.png", charts.contour_map),
    "clouds": Picture(f"{GARTEN}/bilder/wolken.jpg", mountain.cloud_types, *LARGE),
    "rye-field": Picture(f"{GARTEN}/bilder/roggenfeld.jpg", mountain.rye_field),
    "snow-crystal": Picture(f"{GARTEN}/bilder/schneekristall.png", mountain.snow_crystal, *MEDIUM),
    "teaser": Picture(f"{GARTEN}/bilder/erntekorb.jpg", garden.vegetable_basket, 300, 200, (480, 320)),
    # the mountain notebook
    "ridge-dawn": Picture(f"{YAMA}/photo/akebono.jpg", partial(mountain.ridge_view, mood="dawn"), *LARGE, seed=11),
    "ridge-autumn": Picture(f"{YAMA}/photo/aki-no-one.webp", partial(mountain.ridge_view, mood="autumn"), seed=8),
    "hut-winter": Picture(f"{YAMA}/photo/yamagoya.jpg", partial(mountain.hut, mood="winter"), seed=5),
    "paper-sheets": Picture(f"{YAMA}/photo/washi-hoshi.jpg", craft.paper_sheets),
    "kozo": Picture(f"{YAMA}/photo/kozo.jpg", craft.kozo_branch),
    "tea-bowl": Picture(f"{YAMA}/photo/chawan.jpg", craft.tea_bowl),
    "noborigama": Picture(f"{YAMA}/photo/noborigama.jpg", partial(craft.kiln, chambers=4)),
    "indigo": Picture(f"{YAMA}/photo/aizome.webp", craft.indigo_cloth, *MEDIUM),
    "moon-phases": Picture(f"{YAMA}/photo/tsuki.png", mountain.moon_phases),
    "night-sky": Picture(f"{YAMA}/photo/amanogawa.webp", mountain.night_sky),
    "geese-2": Picture(f"{YAMA}/photo/gan-no-retsu.jpg", partial(coast.geese, dawn=True), seed=21),
    "lighthouse-mist": Picture(
        f"{YAMA}/photo/kiri-no-todai.jpg", partial(coast.lighthouse, mood="mist", bands="#2f3640")
    ),
    "tea-field": Picture(f"{YAMA}/photo/%E8%8C%B6%E7%95%91.jpg", mountain.tea_field),
    "maple-1x": Picture(f"{YAMA}/photo/momiji.jpg", mountain.maple, *SMALL),
    "maple-2x": Picture(f"{YAMA}/photo/momiji@2x.jpg", mountain.maple, *LARGE),
    "seigaiha": Picture(f"{YAMA}/photo/seigaiha.png", craft.seigaiha, *MEDIUM),
    # healthy files whose owners reserve their use: see `faults`
    "noai-picture": Picture(f"{GARTEN}/bilder/krume.jpg", craft.tin_loaf, *MEDIUM, seed=9),
    "tdm-picture": Picture(
        f"{GARTEN}/bilder/wintergrat.jpg", partial(mountain.ridge_view, mood="winter"), *MEDIUM, seed=13
    ),
    # furniture
    "logo-museum": Picture(
        f"{MUSEUM}/img/logo.png", partial(marks.logo, ground="#1f4e79", letter="H"), 32, 32, (32, 32)
    ),
    "logo-oven": Picture(f"{OVEN}/pics/logo.png", partial(marks.logo, ground="#9c5f2b", letter="O"), 32, 32, (32, 32)),
    "logo-garten": Picture(
        f"{GARTEN}/bilder/logo.png", partial(marks.logo, ground="#4d8539", letter="G"), 32, 32, (32, 32)
    ),
    "logo-yama": Picture(f"{YAMA}/photo/logo.png", partial(marks.logo, ground="#62588a", letter="Y"), 32, 32, (32, 32)),
    "icon": Picture(f"{ADS}/share-icon.png", marks.share_icon, 16, 16, (16, 16)),
    "banner": Picture(f"{ADS}/banner-468x60.png", marks.banner, 468, 60, (468, 60)),
    "pixel": Picture(f"{ADS}/pixel.png", marks.placeholder, 1, 1, (48, 48)),
    "placeholder": Picture(f"{GARTEN}/bilder/leer.png", marks.placeholder, 48, 36, (48, 36)),
}
