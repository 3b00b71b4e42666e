"""Page shells of the sample crawl: four sites that mark up the same kind of page in four ways.

`harbour-museum` uses `<article>` and friends, `oven-and-kiln` nested tables, `garten-werkstatt` divs with
classes, `yama-no-techo` `<main>` and sections. All have navigation, a trail, related links and an advertisement,
since telling those from the article is the extractor's work.
"""

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urljoin

from curate.sample.articles import Article, address, body_html


@dataclass(frozen=True)
class Site:
    """One host: its name and the words of its furniture."""

    name: str
    language: str
    logo: str
    sections: tuple[tuple[str, str], ...]
    home: str
    related: str
    advert: str
    rights: str
    shell: Callable[["Site", Article, Sequence[Article]], str]


def head_html(site: Site, article: Article) -> str:
    """The `<head>`: title, meta, canonical and Open Graph."""
    title, about = html.escape(article.head["title"]), html.escape(article.head["about"])
    served = article.head.get("served", "")
    charset = "" if "windows-1252" in served else '<meta charset="utf-8">\n'
    if "shift_jis" in served:
        charset = '<meta http-equiv="Content-Type" content="text/html; charset=Shift_JIS">\n'
    base = f'<base href="{urljoin(article.url, article.head["base"])}">\n' if "base" in article.head else ""
    robots = f'<meta name="robots" content="{article.head["robots"]}">\n' if "robots" in article.head else ""
    lead = next(iter(article.picture_names), "")
    image = f'<meta property="og:image" content="{address(lead)}">\n' if lead else ""
    return (
        f"<head>\n{charset}{base}<title>{title} | {html.escape(site.name)}</title>\n"
        f'<meta name="description" content="{about}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'{robots}<link rel="canonical" href="{article.url}">\n<link rel="stylesheet" href="/style.css">\n'
        f'<meta property="og:type" content="article">\n<meta property="og:title" content="{title}">\n'
        f'<meta property="og:site_name" content="{html.escape(site.name)}">\n{image}'
        f'<script>window.visits = window.visits || []; visits.push("{article.url}");</script>\n</head>'
    )


def _links(site: Site) -> str:
    return "".join(f'<li><a href="/{path}/">{html.escape(label)}</a></li>' for label, path in site.sections)


def _related(article: Article, siblings: Sequence[Article]) -> str:
    place = next((i for i, other in enumerate(siblings) if other.url == article.url), 0)
    others = [siblings[(place + k) % len(siblings)] for k in range(1, 5)]
    return "".join(f'<li><a href="{o.url}">{html.escape(o.head["title"])}</a></li>' for o in others)


def _advert(site: Site) -> str:
    return (
        f'<div class="ad-slot" id="ad-1"><small>{site.advert}</small>'
        f'<a href="https://ads.example/click?c=9" rel="sponsored nofollow">'
        f'<img src="{address("banner")}" alt="{site.advert}" width="468" height="60"></a></div>'
    )


def _closing(site: Site) -> str:
    pixel = f'<img src="{address("pixel")}" width="1" height="1" alt="">'
    return f"<p>{site.rights}</p>{pixel}\n</body>\n</html>\n"


def _opening(site: Site, article: Article) -> str:
    return f'<!DOCTYPE html>\n<html lang="{site.language}">\n{head_html(site, article)}\n<body>\n'


def _share(words: str) -> str:
    return f'<a class="share" href="#"><img src="{address("icon")}" width="16" height="16" alt="">{words}</a>'


def semantic_shell(site: Site, article: Article, siblings: Sequence[Article]) -> str:
    """Header, nav, main, article, aside, footer."""
    title = html.escape(article.head["title"])
    return (
        f"{_opening(site, article)}"
        f'<header><a href="/"><img src="{address(site.logo)}" alt="{site.name}" width="32" height="32"></a>'
        f"<strong>{site.name}</strong></header>\n<nav><ul>{_links(site)}</ul></nav>\n"
        f'<nav aria-label="breadcrumb"><a href="/">{site.home}</a> &rsaquo; {article.head["trail"]}</nav>\n'
        f'<main>\n<article>\n<h1>{title}</h1>\n<p class="byline"><time>{article.head["date"]}</time></p>\n'
        f"{body_html(article)}\n{_share('Share')}\n</article>\n</main>\n"
        f"<aside><h3>{site.related}</h3><ul>{_related(article, siblings)}</ul>{_advert(site)}</aside>\n"
        f"<footer>{_closing(site).replace('</body>', '</footer></body>', 1)}"
    )


def div_shell(site: Site, article: Article, siblings: Sequence[Article]) -> str:
    """Divs with class names, and the same teaser picture under every article."""
    teaser = (
        f'<div class="teaser"><img src="{address("teaser")}" alt="Ein Korb mit frisch geerntetem Gemüse" '
        f'width="300" height="200"><p>Der Erntekorb: unser Rundbrief, einmal im Monat.</p></div>'
    )
    return (
        f"{_opening(site, article)}"
        f'<div id="kopf"><img class="logo" src="{address(site.logo)}" alt="Logo" width="32" height="32">'
        f"{site.name}</div>\n"
        f'<div class="menue"><ul>{_links(site)}</ul></div>\n'
        f'<div class="pfad"><a href="/">{site.home}</a> / {article.head["trail"]}</div>\n<div class="seite">\n'
        f'<div class="spalte-links"><h4>{site.related}</h4><ul>{_related(article, siblings)}</ul>'
        f"{_advert(site)}</div>\n"
        f'<div class="inhalt"><h1>{html.escape(article.head["title"])}</h1>\n'
        f'<div class="text">\n{body_html(article)}\n'
        f"{teaser}\n</div></div>\n</div>\n"
        f'<div class="fuss">{_closing(site).replace("</body>", "</div></body>", 1)}'
    )


def table_shell(site: Site, article: Article, siblings: Sequence[Article]) -> str:
    """A page laid out by nested tables, as such pages used to be."""
    menu = "".join(f'<tr><td><a href="/{path}/">{label}</a></td></tr>' for label, path in site.sections)
    title = html.escape(article.head["title"])
    return (
        f"{_opening(site, article)}"
        f'<table width="100%" border="0"><tr><td colspan="3"><img src="{address(site.logo)}" width="32" height="32" '
        f'alt="logo"><font size="5">{site.name}</font><br><a href="/">{site.home}</a> &gt; {article.head["trail"]}'
        f'</td></tr>\n<tr valign="top"><td width="150"><table border="0">{menu}</table></td>\n'
        f'<td><font size="6"><b>{title}</b></font><br><i>{article.head["date"]}</i>\n{body_html(article)}\n</td>\n'
        f'<td width="180"><b>{site.related}</b><ul>{_related(article, siblings)}</ul>{_advert(site)}</td></tr>\n'
        f'<tr><td colspan="3" align="center">{_closing(site).replace("</body>", "</td></tr></table></body>", 1)}'
    )


def section_shell(site: Site, article: Article, siblings: Sequence[Article]) -> str:
    """Main and section, related links below instead of beside."""
    title = html.escape(article.head["title"])
    return (
        f"{_opening(site, article)}"
        f'<header class="top"><img src="{address(site.logo)}" alt="" width="32" height="32">{site.name}'
        f'<nav><ul>{_links(site)}</ul></nav></header>\n<ol class="breadcrumb"><li><a href="/">{site.home}</a></li>'
        f'<li>{article.head["trail"]}</li></ol>\n<main>\n<section class="entry"><h1>{title}</h1>\n'
        f'<div class="entry-body">\n{body_html(article)}\n</div></section>\n{_share("共有する")}\n</main>\n'
        f'<section class="related"><h3>{site.related}</h3><ul>{_related(article, siblings)}</ul></section>\n'
        f"{_advert(site)}\n<footer>{_closing(site).replace('</body>', '</footer></body>', 1)}"
    )


SITES = {
    "harbour-museum.example": Site(
        "Harbour Museum", "en", "logo-museum",
        (("Lamp room", "lamp-room"), ("Quay", "quay"), ("Birds", "birds"), ("Visit", "visit")),
        "Home", "More from the museum", "Advertisement", "&copy; 2026 Harbour Museum. All rights reserved.",
        semantic_shell,
    ),
    "oven-and-kiln.example": Site(
        "Oven and Kiln", "en", "logo-oven", (("Bread", "bread"), ("Clay", "clay"), ("Guest book", "guests")),
        "Start", "Read next", "Sponsored", "&copy; 2026 Oven and Kiln. Best viewed while something rises.",
        table_shell,
    ),
    "garten-werkstatt.example": Site(
        "Garten-Werkstatt", "de", "logo-garten",
        (("Beete", "beete"), ("Obst", "obst"), ("Bienen", "bienen"), ("Hütten", "huetten")),
        "Startseite", "Weiterlesen", "Anzeige", "© 2026 Garten-Werkstatt. Impressum, Datenschutz.", div_shell,
    ),
    "yama-no-techo.example": Site(
        "山の手帖", "ja", "logo-yama", (("山", "yama"), ("紙", "kami"), ("焼き物", "yaki"), ("空", "sora")),
        "トップ", "あわせて読む", "広告", "© 2026 山の手帖 無断転載を禁じます。", section_shell,
    ),
}  # fmt: skip


def page_html(article: Article, articles: Sequence[Article]) -> str:
    """The whole page of an article, with its neighbours on the same host as related links."""
    site = SITES[article.host]
    return site.shell(site, article, [other for other in articles if other.host == article.host])
