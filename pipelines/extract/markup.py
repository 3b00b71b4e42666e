"""One tag to one number: which element it is, and what its attributes say that it is for.

The words are those that authors of pages use in class, id, role and itemprop. Each stands for a purpose; none decides
anything by itself, they are inputs of the model of blocks. All tables are here; the C that reads tags is told them.
"""

import ctypes
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from pipelines.extract import native

TAGS = (
    "other", "!", "html", "body", "div", "section", "article", "main", "header", "footer", "nav", "aside", "form",
    "fieldset", "legend", "p", "blockquote", "pre", "h1", "h2", "h3", "h4", "h5", "h6", "hgroup", "ul", "ol", "li",
    "dl", "dt", "dd", "menu", "dir", "table", "caption", "thead", "tbody", "tfoot", "tr", "td", "th", "figure",
    "figcaption", "details", "summary", "address", "center", "noscript", "hr", "button", "label", "picture", "source",
    "img", "amp-img", "br", "a", "span", "b", "strong", "i", "em", "u", "small", "big", "font", "code", "kbd", "samp",
    "tt", "sub", "sup", "q", "cite", "abbr", "time", "del", "s", "ins", "mark", "ruby", "rt", "rp", "math", "input",
    "wbr", "area", "col", "embed", "track", "param", "link", "meta", "base", "keygen", "bgsound", "frame", "basefont",
    "dialog", "amp-anim", "figure-img",
)  # fmt: skip
TAG = {name: number for number, name in enumerate(TAGS)}
BLOCKS = frozenset(TAGS[TAGS.index("html") : TAGS.index("label")]) | {"dialog"}
# Elements without an end tag, as the parser writes them; comments and the like among them.
VOID = frozenset(
    "! area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr".split()
)
HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
IMAGES = frozenset({"img", "amp-img"})
# Never text. Navigation and footers hold less than one word in a hundred of the content of WCXB's pages, and a third of
# all tags. Readings of ruby (rt) are read aloud, not in line. What is inside some of them is not markup.
GONE = frozenset(
    """
    iframe object embed canvas audio video select textarea datalist noframes noembed xmp map rt rp head nav footer
    """.split()
)
RAW = frozenset({"iframe", "noembed", "noframes", "xmp"})
# Elements that only an end tag closes.
NESTING = frozenset(
    """
    div section article main ul ol dl table blockquote span form fieldset details figure center font b i em strong a
    small big u s del ins code nav header footer aside svg g object button label
    """.split()
)
# How a parser takes them, by the HTML standard: their content is text whatever it looks like; they are not HTML; what
# ends those without their end tag, or makes what is in them HTML; those behind which only a parser can tell.
TEXTUAL = frozenset({"script", "style", "title", "textarea", "iframe", "xmp", "noembed", "noframes"})
FOREIGN = frozenset({"svg", "math"})
BREAKOUTS = frozenset(
    """
    b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li listing menu meta
    nobr ol p pre ruby s small span strong strike sub sup table tt u ul var font script textarea iframe xmp noembed
    noframes plaintext foreignobject annotation-xml select frameset
    """.split()
)
UNSURE = frozenset({"frameset", "plaintext"})
# Elements of whose attributes any may be read, here or by the parser, which compares those of the last line.
READ = frozenset(
    """
    img amp-img figure source meta link base script input html body annotation
    b big code em font i nobr s small strike strong tt u
    """.split()
)
# Elements that hint at work to do.
TELLING = frozenset({"math", "plaintext", "svg", "template", "img", "script", "span", "sup"})
# Stands for <br> in texts; white space to str.split and str.strip.
BREAK = "\x1f"

END = 1 << 7
FIRST_PURPOSE = 8
# Words of attributes by purpose. A word in the list is matched whole; one with an asterisk also as a beginning.
WORDS = {
    "navigation": "nav* navbar* menu* submenu breadcrumb* crumb* pagination pager paging pages prev next toolbar topbar"
    " skip* sitemap toc tabs tablist dropdown megamenu offcanvas hamburger drawer",
    "footer": "foot* footer* copyright legal colophon disclaimer bottom fineprint",
    "header": "header* masthead topbanner banner hero top brand logo site-header",
    "side": "side* sidebar* aside rail widget* secondary complementary column-right right left",
    "share": "share* sharing social* follow tweet facebook twitter linkedin pinterest whatsapp addthis addtoany shar*"
    " print email instagram youtube",
    "advert": "ad ads advert* adsense adslot sponsor* promo* dfp taboola outbrain adsbygoogle banner-ad commercial"
    " affiliate partner deals",
    "related": "related* recommend* recirc* more also trending popular teaser* suggest* similar readmore latest recent"
    " upnext explore discover featured mostread upsell crosssell",
    "comment": "comment* disqus reply replies respond* discussion feedback livefyre talkback",
    "form": "form* newsletter* subscri* signup sign login log-in register* search* contact* cta paywall optin lead"
    " mailchimp input",
    "overlay": "modal* popup* pop overlay* dialog cookie* consent gdpr lightbox tooltip toast alert notice notification"
    " onetrust drawer snackbar",
    "meta": "meta* byline* author* date* time timestamp tag tags tagged category categories posted published credit*"
    " dateline bio contributor reading readtime info",
    "caption": "caption* figcaption wp-caption-text imagecaption photo-caption",
    "content": "content* article* post entry* story* text body articlebody main maincontent prose richtext rte"
    " paragraph copy blog markdown postbody articletext posttext maintext bodytext wysiwyg rich page-content"
    " description desc summary intro",
    "product": "product* price* cart sku variant* rating* review* spec specs specifications stock buy shipping quantity"
    " swatch size pdp shop*",
    "forum": "forum* thread* message* topic* answer* question* posts postbody post-text bbcode quote user username"
    " avatar userinfo signature karma vote* votes",
    "cards": "card* grid* item* tile* list* listing* results result gallery* carousel* slider* slide swiper slick col"
    " row collection* collections catalog",
    "hidden": "hidden hide invisible sr sronly visually visuallyhidden screen* offscreen collapsed none noprint"
    " aria-hidden",
    "folded": "tab tabpanel accordion* panel* faq* toggle collapse* expand* collapsible",
    "code": "code highlight* syntax* prettyprint codehilite hljs gist example*",
    "icon": "icon* fa svg glyph* emoji badge* button* btn* arrow close",
    "title": "title* heading* headline* subtitle* subheading*",
    "captioned": "thumbcaption gallerytext figure informalfigure figcenter figleft figright",
}  # fmt: skip
# Asked by rules only, not known to the models.
MARKS = ("title", "captioned")
PURPOSES = (
    *(name for name in WORDS if name not in MARKS), "main_element", "article_element", "article_body", "link",
    "noscript", "table", "list", "figure", "unseen", "body_text",
)  # fmt: skip
PURPOSE = {name: 1 << (FIRST_PURPOSE + i) for i, name in enumerate((*PURPOSES, *MARKS))}
_LAST_PURPOSE = FIRST_PURPOSE + len(PURPOSE)
_STYLE_SHIFT = 40
assert _LAST_PURPOSE <= _STYLE_SHIFT
PURPOSES_MASK = (1 << _LAST_PURPOSE) - (1 << FIRST_PURPOSE)

_OF_TAG = {
    "nav": "navigation", "menu": "navigation", "footer": "footer", "header": "header", "aside": "side", "form": "form",
    "main": "main_element", "article": "article_element", "a": "link", "noscript": "noscript", "dialog": "overlay",
    "table": "table", "ul": "list", "ol": "list", "dl": "list", "figure": "figure", "figcaption": "caption",
    "details": "folded", "button": "icon", "pre": "code",
}  # fmt: skip
_OF_ROLE = {
    "navigation": "navigation", "menu": "navigation", "menubar": "navigation", "tablist": "navigation",
    "contentinfo": "footer", "banner": "header", "complementary": "side", "search": "form", "dialog": "overlay",
    "alertdialog": "overlay", "main": "main_element", "article": "article_element", "tabpanel": "folded",
    "button": "icon",
}  # fmt: skip

# Inline elements: what they are for is said by the blocks around them, and their addresses would fill the memory.
INLINE = frozenset(TAGS[TAGS.index("label") :]) - {"dialog"}
_ARTICLE_BODY = ("articleBody", "text", "description", "reviewBody")


def describe(tag: str) -> int:
    """What stands between < and > as a number.

    Bits 0 to 6: the element, an index of `TAGS`; bit 7: an end tag; bits 8 to 39: `PURPOSES`, then `MARKS`; bits 40 to
    62: a checksum of element and class, for elements that look alike.
    """
    held = ctypes.create_string_buffer(tag.encode("utf-8", "replace"))
    begin = ctypes.addressof(held)
    return native.describe(begin, begin + len(held) - 1)


def decoded(tag: bytes) -> str:
    """What stands between < and > as the parser means it, but for other entities than the hard space."""
    return tag.decode("utf-8", "replace").replace("&nbsp;", "\u00a0").replace(BREAK, " ")


def _teach() -> list[bytes]:
    """Tell the C all that is known by its name; the texts that it was told have to stay."""
    kinds = (
        (VOID, native.VOID), (BLOCKS, native.BLOCK), (GONE, native.GONE), (RAW, native.RAW), (INLINE, native.PLAIN),
        (IMAGES, native.IMAGE), ({"header"}, native.HEADER), (HEADINGS | {"p"}, native.SAYS), ({"br"}, native.BREAKS),
        (NESTING, native.NESTS), (READ, native.READ), (TEXTUAL, native.TEXTUAL), (FOREIGN, native.FOREIGN),
        (BREAKOUTS, native.BREAKOUT), (UNSURE, native.UNSURE), (TELLING, native.TELLS),
    )  # fmt: skip
    names = [*TAGS, *sorted(frozenset().union(*(some for some, _ in kinds)) - set(TAGS))]
    codes = [TAG.get(name, 0) | PURPOSE.get(_OF_TAG.get(name, ""), 0) for name in names]
    whole: dict[str, int] = {}
    stems: dict[str, int] = {}
    for purpose, listed in WORDS.items():
        for term in listed.split():
            known = stems if term.endswith("*") else whole
            known[term.rstrip("*")] = known.get(term.rstrip("*"), 0) | PURPOSE[purpose]
    stems = {stem: stems[stem] for stem in sorted(stems, key=lambda stem: (stem[0], -len(stem), stem))}
    native.learn_purposes(np.array([PURPOSE[name] for name in native.PURPOSES]))
    stem_texts, stem_ends = _joined(stems)
    native.learn_stems(stem_texts, stem_ends, np.array([*stems.values()]), len(stems))
    return [
        stem_texts,
        _learn(native.NAMES, names, codes, [sum(bit for some, bit in kinds if name in some) for name in names]),
        _learn(native.WORDS, [*whole], [*whole.values()]),
        _learn(native.ROLES, [*_OF_ROLE], [PURPOSE[purpose] for purpose in _OF_ROLE.values()]),
        _learn(native.PROPERTIES, _ARTICLE_BODY, [PURPOSE["article_body"]] * len(_ARTICLE_BODY)),
    ]


def _learn(table: int, texts: Sequence[str], codes: Sequence[int], kinds: Sequence[int] = ()) -> bytes:
    joined, ends = _joined(texts)
    given = np.array(kinds or [0] * len(texts), np.int64)
    native.learn(table, joined, ends, np.array(codes, np.int64), given, len(texts))
    return joined


def _joined(texts: Iterable[str]) -> tuple[bytes, npt.NDArray[np.int64]]:
    encoded = [text.encode() for text in texts]
    return b"".join(encoded), np.cumsum([len(text) for text in encoded])


_TAUGHT = _teach()
