"""The emoji sets of npm that a small CLIP is made from: which ones, under which licence, and their drawings as SVG.

Fetching is here and nothing else of the network; which drawing shows what is in `emoji_concepts`, pixels are in
`emoji_pictures`. A set is trained on only if its licence neither asks for the same licence nor forbids a use.
"""

import json
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

EMOJIBASE = "emojibase-data@17.0.0"


class Use(StrEnum):
    """What a set is for."""

    TRAIN = "train"
    DEVELOP = "develop"
    """Scored while the model was designed, never trained on."""
    SHOW = "show"
    """For a few pictures beside the tests; neither trained on nor scored before the design was frozen."""
    BLIND = "blind"
    """Chosen by name and licence before anything was designed; opened once, when nothing was to be changed any more."""


@dataclass(frozen=True)
class EmojiSet:
    """A set of drawings in one hand, as a pinned package of npm's scope @iconify-json."""

    name: str
    version: str
    licence: str
    author: str
    use: Use
    weight: float = 1.0
    """How often it is drawn for training: sets of the same designers share one hand, and so its weight."""

    @property
    def package(self) -> str:
        """As npm names it, with its version."""
        return f"@iconify-json/{self.name}@{self.version}"


SETS = (
    EmojiSet("noto", "1.2.9", "Apache-2.0", "Google Inc", Use.TRAIN),
    EmojiSet("noto-v1", "1.2.5", "Apache-2.0", "Google Inc", Use.TRAIN),
    EmojiSet("twemoji", "1.2.5", "CC-BY-4.0", "Twitter", Use.TRAIN),
    EmojiSet("fxemoji", "1.2.2", "Apache-2.0", "Mozilla", Use.TRAIN),
    EmojiSet("fluent-emoji-flat", "1.2.6", "MIT", "Microsoft Corporation", Use.TRAIN, 0.6),
    EmojiSet("fluent-emoji", "1.2.7", "MIT", "Microsoft Corporation", Use.TRAIN, 0.6),
    EmojiSet("fluent-emoji-high-contrast", "1.2.6", "MIT", "Microsoft Corporation", Use.TRAIN, 0.6),
    # Share-alike: whether weights would have to be shared alike is not settled, so it only measures.
    EmojiSet("openmoji", "1.2.29", "CC-BY-SA-4.0", "OpenMoji", Use.DEVELOP),
    EmojiSet("streamline-emojis", "1.2.4", "CC-BY-4.0", "Streamline", Use.SHOW),
    EmojiSet("emojione", "1.2.3", "CC-BY-4.0", "Emoji One", Use.BLIND),
)


def set_named(name: str) -> EmojiSet:
    """The set of that name; ValueError with all names if there is none."""
    for emoji_set in SETS:
        if emoji_set.name == name:
            return emoji_set
    raise ValueError(f"no emoji set {name!r}; there are {', '.join(s.name for s in SETS)}")


def fetch(package: str, folder: Path) -> Path:
    """The archive of a package, by `npm pack` unless it is in the folder already."""
    name, _, version = package.removeprefix("@").replace("/", "-").rpartition("@")
    archive = folder / f"{name}-{version}.tgz"
    if not archive.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as fresh:
            subprocess.run(["npm", "pack", "--silent", package], cwd=fresh, check=True, stdout=subprocess.DEVNULL)
            (Path(fresh) / archive.name).rename(archive)
    return archive


def read_json(archive: Path, member: str) -> Any:
    """A JSON file of a fetched package, such as `icons.json`."""
    with tarfile.open(archive) as files:
        content = files.extractfile(f"package/{member}")
        assert content is not None, f"{archive.name} has no file {member}"
        return json.load(content)


@dataclass(frozen=True)
class Drawings:
    """The drawings of one set, by the names that its package gives them."""

    icons: Mapping[str, Any]
    """The package's icons.json."""
    characters: Mapping[str, str]
    """Code points as in `1f3c3-200d-2642`, lower case, to names; empty for some packages."""

    @property
    def names(self) -> list[str]:
        """All names, aliases last, so that a drawing's own name goes before another's alias."""
        return [*self.icons["icons"], *self.icons.get("aliases", {})]

    def svg(self, name: str, side: int) -> str:
        """The drawing as a square SVG document of that many pixels, aliases resolved with their flips and turns."""
        flips, turns = "", 0
        while name not in self.icons["icons"]:
            alias = self.icons["aliases"][name]
            flips += "h" * bool(alias.get("hFlip")) + "v" * bool(alias.get("vFlip"))
            turns += alias.get("rotate", 0)
            name = alias["parent"]
        icon = self.icons["icons"][name]
        left, top = icon.get("left", 0), icon.get("top", 0)
        width = icon.get("width", self.icons.get("width", 16))
        height = icon.get("height", self.icons.get("height", 16))
        body = _moved(icon["body"], left + width / 2, top + height / 2, flips, turns)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="{side}" '
            f'height="{side}" viewBox="{left} {top} {width} {height}">{body}</svg>'
        )


def _moved(body: str, x: float, y: float, flips: str, turns: int) -> str:
    """The body flipped and turned by quarters around the point (x, y)."""
    across, down = (-1) ** flips.count("h"), (-1) ** flips.count("v")
    if (across, down, turns % 4) == (1, 1, 0):
        return body
    return (
        f'<g transform="translate({x} {y}) rotate({turns % 4 * 90}) scale({across} {down}) translate({-x} {-y})">'
        f"{body}</g>"
    )


def read_drawings(emoji_set: EmojiSet, folder: Path) -> Drawings:
    """Fetch a set and read it; ValueError if the package declares another licence than the one it was taken for."""
    archive = fetch(emoji_set.package, folder)
    declared = read_json(archive, "info.json")["license"]["spdx"]
    if declared != emoji_set.licence:
        raise ValueError(f"{emoji_set.package} is under {declared}, expected {emoji_set.licence}: look again")
    return Drawings(read_json(archive, "icons.json"), read_json(archive, "chars.json"))
