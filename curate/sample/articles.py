"""Articles of the sample crawl: reads the sources under `pages/` and turns their bodies into HTML.

The sources are a few lines of head and then a small markup: `##` headings, `-` and `1.` lists, `|` tables,
fenced code, and `! picture mode | alt | caption`. The mode says how the page refers to the picture (srcset, lazy
loading and so on), because that is what an extractor has to cope with. It is no Markdown reader.
"""

import base64
import html
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from curate.sample.faults import FAULTS
from curate.sample.pictures import PICTURES

PAGES = Path(__file__).parent / "pages"
LANGUAGES = ("en", "de", "ja")
# the other rendition of a picture that is served in two
COMPANIONS = {"lens-480": "lens-240", "maple-2x": "maple-1x", "knot-webp": "knot-jpg"}
EMBEDDED = frozenset({"snow-crystal"})  # only ever a data: URI, so without a record of its own
CLEAR_PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"


@dataclass
class Article:
    """One article as written: its head fields and its body lines."""

    url: str
    language: str
    head: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    @property
    def host(self) -> str:
        """Host name of the page."""
        return urlsplit(self.url).netloc

    @property
    def picture_names(self) -> list[str]:
        """Pictures of the body in reading order, companions included."""
        names: list[str] = []
        for line in self.lines:
            if line.startswith("! "):
                name = line.split()[1]
                names += [name, COMPANIONS[name]] if name in COMPANIONS else [name]
        return names


def read_articles() -> list[Article]:
    """All articles of all languages in the order of their sources."""
    articles: list[Article] = []
    for language in LANGUAGES:
        source = (PAGES / f"{language}.txt").read_text(encoding="utf-8")
        for chunk in re.split(r"^@ ", source, flags=re.M)[1:]:
            head, body = chunk.split("\n---\n", 1)
            url, *fields = head.splitlines()
            pairs = dict(line.split(": ", 1) for line in fields)
            articles.append(Article(url.strip(), language, pairs, body.rstrip().splitlines()))
    return articles


def address(name: str) -> str:
    """URL of a picture, healthy or faulty."""
    return PICTURES[name].url if name in PICTURES else FAULTS[name].url


def body_html(article: Article) -> str:
    """The article's body as HTML."""
    out: list[str] = []
    lines = list(article.lines)
    while lines:
        line = lines.pop(0)
        if line == "```":
            code = lines[: lines.index("```")]
            del lines[: len(code) + 1]
            out.append("<pre><code>" + html.escape("\n".join(code)) + "</code></pre>")
        elif kind := next((kind for kind, mark in LISTS.items() if mark.match(line)), None):
            items = [line]
            while lines and LISTS[kind].match(lines[0]):
                items.append(lines.pop(0))
            out.append(_grouped(kind, items))
        elif line.startswith("! "):
            out.append(_figure(article, line))
        elif line.startswith("## "):
            out.append(f"<h2>{html.escape(line[3:])}</h2>")
        elif line:
            out.append(f"<p>{html.escape(line, quote=False)}</p>")
    return "\n".join(out)


LISTS = {"ul": re.compile(r"- "), "ol": re.compile(r"\d+\. "), "table": re.compile(r"\| ")}


def _grouped(kind: str, items: list[str]) -> str:
    """A list or table from its consecutive lines."""
    if kind == "table":
        rows = [[html.escape(cell.strip()) for cell in item.strip("| ").split(" | ")] for item in items]
        marked = [
            "<tr>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in row) + "</tr>"
            for tag, row in zip(["th", *["td"] * (len(rows) - 1)], rows, strict=True)
        ]
        return "<table>\n" + "\n".join(marked) + "\n</table>"
    entries = [f"<li>{html.escape(LISTS[kind].sub('', item, count=1), quote=False)}</li>" for item in items]
    return f"<{kind}>\n" + "\n".join(entries) + f"\n</{kind}>"


def _figure(article: Article, line: str) -> str:
    """An image with its caption, if it has one."""
    first, alt, caption = (part.strip() for part in line[2:].split("|"))
    name, mode = first.split()
    image = _image(article, name, mode, html.escape(alt))
    if mode == "bare":
        return f'<p align="center">{image}</p>'
    text = f"\n<figcaption>{html.escape(caption, quote=False)}</figcaption>" if caption else ""
    if "garten-werkstatt" in article.host:  # a site of the days before <figure>
        return f'<div class="bild">{image}<div class="bildunterschrift">{html.escape(caption, quote=False)}</div></div>'
    return f"<figure>{image}{text}</figure>"


def _size(name: str) -> str:
    if name not in PICTURES:
        return ""
    return f' width="{PICTURES[name].width}" height="{PICTURES[name].height}"'


def _image(article: Article, name: str, mode: str, alt: str) -> str:
    """The `<img>` in one of the ways in which real pages refer to images."""
    url, size = address(name), _size(name)
    other = address(COMPANIONS.get(name, name))
    plain = f'<img src="{_reference(article, url)}" alt="{alt}"{size}>'
    if mode == "srcset-w":
        sources = f"{other} {PICTURES[COMPANIONS[name]].width}w, {url} {PICTURES[name].width}w"
        return f'<img src="{other}" srcset="{sources}" sizes="(min-width: 40em) 30em, 90vw" alt="{alt}">'
    if mode == "srcset-x":
        return f'<img src="{other}" srcset="{other} 1x, {url} 2x" alt="{alt}"{_size(COMPANIONS[name])}>'
    if mode == "srcset-one":
        return f'<img src="{url}" srcset="{url} {PICTURES[name].width}w" alt="{alt}">'
    if mode == "picture":
        kind = PICTURES[name].mime
        return f'<picture><source type="{kind}" srcset="{url}"><img src="{other}" alt="{alt}"></picture>'
    if mode == "lazy":
        return f'<img class="lazyload" src="{address("placeholder")}" data-src="{url}" alt="{alt}"{size}>'
    if mode == "noscript":
        return f'<img class="js-fade" src="{CLEAR_PIXEL}" alt=""><noscript>{plain}</noscript>'
    if mode == "data":
        packed = base64.b64encode(PICTURES[name].encode()).decode()
        return f'<img src="data:{PICTURES[name].mime};base64,{packed}" alt="{alt}"{size}>'
    written = {"protocol": url.removeprefix("https:"), "raw": unquote(url), "relative": url.rsplit("/", 1)[-1]}
    return plain if mode in ("plain", "bare") else f'<img src="{written[mode]}" alt="{alt}"{size}>'


def _reference(article: Article, url: str) -> str:
    """The reference as this site writes it: from the root, upwards, or in full."""
    parts = urlsplit(url)
    if parts.netloc != article.host or "garten-werkstatt" in parts.netloc:
        return url
    return f"..{parts.path}" if "yama-no-techo" in parts.netloc else parts.path
