"""Pages of the sample crawl that a curator should drop, repair or survive.

Also the transport of ordinary articles that are served in an awkward way (`served:` in their head). Each planted
case is listed with its expected outcome in README.md beside this file.
"""

import gzip
import json
from collections.abc import Sequence
from dataclasses import replace

from curate.sample.articles import Article
from curate.sample.faults import NOT_FOUND, Reply
from curate.sample.layouts import page_html
from curate.sample.pictures import GARTEN, MUSEUM, OVEN, YAMA

HTML = "text/html; charset=utf-8"
NEST_DEPTH = 5000
LATIN = "Navis aqua lumen petra ventus, corvus panis. Turris nox mare; sal lapis hortus. Fumus ovis, glacies arbor."
CATALOGUE = """1882 / 44.7 / 0.003 / 19-20-21 / 7781-A / *** / 12:44 / 12:45 / 12:46 / 12:47 / 12:48 / 12:49
33 333 3333 / 60.1 N / 4.9 E / 1013.2 / 998.7 / 1021.0 / #### / 0000 / 1111 / 2222 / 3333 / 4444
[17] [18] [19] [20] [21] [22] / 3.14 / 2.72 / 1.41 / 1.73 / 100 % / 50 % / 25 % / 12.5 % / 6.25 %"""


def _chunked(body: bytes, size: int = 1000) -> bytes:
    parts = [body[i : i + size] for i in range(0, len(body), size)]
    return b"".join(b"%x\r\n" % len(part) + part + b"\r\n" for part in parts) + b"0\r\n\r\n"


def article_reply(article: Article, articles: Sequence[Article]) -> Reply:
    """The reply for an article, in the way its head asks it to be served."""
    page, served = page_html(article, articles), article.head.get("served", "")
    body = page.encode()
    plain = Reply(article.url, HTML, body)
    if served == "chunked":
        return replace(plain, body=_chunked(body), extra=(("Transfer-Encoding", "chunked"),))
    if served == "chunked header, plain body":
        return replace(plain, extra=(("Transfer-Encoding", "chunked"),))
    if served == "gzip":
        return replace(plain, body=gzip.compress(body, mtime=0), extra=(("Content-Encoding", "gzip"),))
    if served == "shift_jis under a wrong header":
        return replace(plain, mime="text/html; charset=ISO-8859-1", body=page.encode("cp932", "xmlcharrefreplace"))
    if served == "windows-1252, no declaration":
        return replace(plain, mime="text/html", body=page.encode("cp1252"))
    if served == "utf-8 with a byte order mark":
        return replace(plain, mime="text/html", body=b"\xef\xbb\xbf" + body)
    if served:
        raise ValueError(f"{article.url}: unknown way to serve: {served}")
    return plain


def _by_url(articles: Sequence[Article], tail: str) -> Article:
    return next(article for article in articles if article.url.endswith(tail))


def _simple(url: str, language: str, title: str, body: str) -> Reply:
    """A page without furniture."""
    page = f'<!DOCTYPE html>\n<html lang="{language}"><head><meta charset="utf-8"><title>{title}</title></head>'
    return Reply(url, HTML, f"{page}\n<body>\n{body}\n</body></html>\n".encode())


def near_duplicate(articles: Sequence[Article]) -> Reply:
    """The repainting diary again, with a few words changed and a printer's footer."""
    original = _by_url(articles, "repainting-the-tower")
    page = page_html(original, articles).replace("nineteen working days", "twenty working days")
    page = page.replace("politely", "gently").replace("</article>", "<p>Printed from the museum site.</p></article>")
    return Reply(f"{original.url}?view=print", HTML, page.encode())


def nested() -> Reply:
    """One short text below five thousand open divs."""
    text = (
        "<p>The rope store lies at the end of a passage that lies behind another passage. Visitors who find it are "
        'given some tarred twine and the advice to leave a trail next time.</p><img src="/img/lighthouse-day.jpg" '
        'alt="Red and white banded lighthouse on a green headland" width="480" height="360"><p>The oldest coil was '
        "laid by hand in a ropewalk four hundred paces long, and it still smells of the forest it came from.</p>"
    )
    return _simple(
        f"{MUSEUM}/quay/rope-store", "en", "The rope store", "<div>" * NEST_DEPTH + text + "</div>" * NEST_DEPTH
    )


def noai_page() -> Reply:
    """A good article whose owner asks not to be used for training."""
    article = Article(
        f"{MUSEUM}/quay/painted-houses",
        "en",
        {
            "title": "Why the quay houses are painted",
            "about": "Colour as an address.",
            "trail": "Quay",
            "date": "2026-03-12",
            "robots": "noai, noimageai",
        },
        [
            "The houses along the quay were painted so that a man rowing in at dusk could find his own door. Street "
            "numbers came a hundred years later, and for a long time nobody used them.",
            "! harbour plain | Gabled houses in many colours above a quay with three boats | The quay at noon.",
            "Ochre was cheap, since it was dug behind the church. Blue was dear. A blue house therefore told the bank "
            "as much as it told the oarsman, and two of the four blue houses were painted on credit.",
        ],
    )
    return Reply(article.url, HTML, page_html(article, [article]).encode())


def link_list(articles: Sequence[Article]) -> Reply:
    """Nothing but navigation."""
    links = "".join(f'<li><a href="{a.url}">{a.head["trail"]}</a></li>' for a in articles)
    words = (
        "Cookie settings",
        "Privacy",
        "Terms of use",
        "Log in",
        "Register",
        "Share",
        "Subscribe to our newsletter",
    )
    furniture = "".join(f'<a href="/{k}">{word}</a> | ' for k, word in enumerate(words))
    return _simple(f"{MUSEUM}/sitemap", "en", "Site map", f"<ul>{links}</ul><p>{furniture}</p><p>&copy; 2026</p>")


def odd_replies(articles: Sequence[Article]) -> list[Reply]:
    """All planted pages and odd responses."""
    original = article_reply(_by_url(articles, "knots-that-hold"), articles)
    loaf = '<img src="/pics/round-loaf.jpg" alt="A round loaf" width="400" height="300">'
    hours = b"Opening hours\n\nMarch to October: 10 to 17\nNovember to February: closed on Mondays\n"
    station = json.dumps({"station": "Harbour Quay", "metres": [0.8, 2.6, 5.6], "hours": [0, 2.5, 6]}).encode()
    return [
        replace(original, url=f"{MUSEUM}/archive/2025/knots"),
        near_duplicate(articles),
        link_list(articles),
        _simple(f"{OVEN}/bread/today", "en", "Today", f"<p>Today: rye, two left. Sorry.</p>{loaf}"),
        _simple(f"{OVEN}/clay/motto", "la", "Turris", f"<p>{LATIN}</p>{loaf}"),
        _simple(f"{MUSEUM}/collections/numbers", "en", "0-9", f"<p>{CATALOGUE}</p>"),
        nested(),
        noai_page(),
        Reply(f"{GARTEN}/alt/rosen", HTML, NOT_FOUND, "404 Not Found"),
        Reply(
            f"{GARTEN}/kompost",
            HTML,
            b"",
            "301 Moved Permanently",
            (("Location", f"{GARTEN}/beete/kompost-schichten"),),
        ),
        Reply(f"{YAMA}/yama/kara", HTML, b""),
        Reply(f"{MUSEUM}/visit/hours.txt", "text/plain; charset=us-ascii", hours),
        Reply(f"{MUSEUM}/api/tide.json", "application/json", station),
    ]


def clipped_page(articles: Sequence[Article]) -> Reply:
    """The page whose record is damaged in the archive itself, so that nobody should ever read it."""
    article = Article(
        f"{OVEN}/clay/lost-notebook",
        "en",
        {"title": "The lost notebook", "about": "A page that did not survive.", "trail": "Clay", "date": "2026-03-12"},
        [
            "This page is stored in a damaged gzip member. If its text turns up in the output, a reader has made "
            "something up.",
            *_by_url(articles, "ash-glaze").lines[:1],
        ],
    )
    return Reply(article.url, HTML, page_html(article, articles).encode())
