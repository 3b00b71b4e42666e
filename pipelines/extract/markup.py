"""One tag to one number: which element it is, and what its attributes say that it is for.

The words are those that authors of pages use in class, id, role and itemprop. Each stands for a purpose; none decides
anything by itself, they are inputs of the model of blocks. A tag is described once and remembered by its text, since
most tags of a crawl are equal to one seen before.
"""

import re
import zlib

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
_COMMENT = TAG["!"]
BLOCKS = frozenset(TAGS[TAGS.index("html") : TAGS.index("label")]) | {"dialog"}
# Elements without an end tag, as the parser writes them; comments and the like among them.
VOID = frozenset(
    "! area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr".split()
)
HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})

END = 1 << 7
_FIRST_PURPOSE = 8
# Words of attributes by purpose. A word in the list is matched whole; one with an asterisk also as a beginning.
_WORDS = {
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
}  # fmt: skip
PURPOSES = (
    *_WORDS, "main_element", "article_element", "article_body", "link", "noscript", "table", "list", "figure", "unseen",
    "body_text",
)  # fmt: skip
PURPOSE = {name: 1 << (_FIRST_PURPOSE + i) for i, name in enumerate(PURPOSES)}
_LAST_PURPOSE = _FIRST_PURPOSE + len(PURPOSES)
_STYLE_SHIFT = 40
assert _LAST_PURPOSE <= _STYLE_SHIFT
PURPOSES_MASK = (1 << _LAST_PURPOSE) - (1 << _FIRST_PURPOSE)

_WHOLE: dict[str, int] = {}
_STEMS: dict[str, int] = {}
for _name, _list in _WORDS.items():
    for _term in _list.split():
        _target = _STEMS if _term.endswith("*") else _WHOLE
        _target[_term.rstrip("*")] = _target.get(_term.rstrip("*"), 0) | PURPOSE[_name]
_STEM = re.compile("|".join(sorted(_STEMS, key=len, reverse=True)))
_OF_TAG = {
    "nav": "navigation", "menu": "navigation", "footer": "footer", "header": "header", "aside": "side", "form": "form",
    "main": "main_element", "article": "article_element", "a": "link", "noscript": "noscript", "dialog": "overlay",
    "table": "table", "ul": "list", "ol": "list", "dl": "list", "figure": "figure", "figcaption": "caption",
    "details": "folded", "button": "icon", "pre": "code",
}  # fmt: skip
_OF_TAG_BITS = {name: PURPOSE[purpose] for name, purpose in _OF_TAG.items()}
_OF_ROLE = {
    "navigation": "navigation", "menu": "navigation", "menubar": "navigation", "tablist": "navigation",
    "contentinfo": "footer", "banner": "header", "complementary": "side", "search": "form", "dialog": "overlay",
    "alertdialog": "overlay", "main": "main_element", "article": "article_element", "tabpanel": "folded",
    "button": "icon",
}  # fmt: skip

# Inline elements: what they are for is said by the blocks around them, and their addresses would fill the memory.
_INLINE = frozenset(TAGS[TAGS.index("label") :]) - {"dialog"}
_LINK_OR_SPAN = ("a ", "span ")
_NAMING = re.compile(r' (?:class|id)="([^"]*)"')
_RARE = re.compile(r' (role|itemprop|style|hidden|aria-hidden|aria-modal)="([^"]*)"')
# Names that are given to the element around the text itself, and to hardly anything else.
_BODY_TEXT = re.compile(
    r"(?:^|[\s_-])(?:article|post|entry|story|news|blog|page|single|detail|body|content|text|node|field|td|rich)s?"
    r"(?:[_-]{1,2}\w+)?[_-]{0,2}(?:body|content|contents|text|copy|main)(?:$|[\s_-])|articleBody|storytext|postbody",
    re.IGNORECASE,
)
# Shown to screen readers alone: what the layout says to everybody else.
_FOR_READERS = re.compile(r"screen-?reader|sr-only|visually-?hidden", re.IGNORECASE)
_INVISIBLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden")
# Tags are remembered up to so many of them, then all are forgotten: as good as forgetting the oldest, and cheaper.
_REMEMBERED = 1 << 16
_tags: dict[str, int] = {}
_classes: dict[str, int] = {}
_terms: dict[str, int] = {}


def describe_all(tags: list[str]) -> list[int]:
    """`describe` for each of many tags."""
    if len(_tags) > _REMEMBERED or len(_classes) > _REMEMBERED or len(_terms) > _REMEMBERED:
        forget()
    known = _tags.get
    return [number if (number := known(tag)) is not None else describe(tag) for tag in tags]


def forget() -> None:
    """Forget all tags seen so far."""
    _tags.clear()
    _classes.clear()
    _terms.clear()


def describe(tag: str) -> int:
    """What stands between < and > as a number.

    Bits 0 to 6: the element, an index of `TAGS`; bit 7: an end tag; bits 8 to 39: `PURPOSES`; bits 40 to 62: a
    checksum of element and class, for elements that look alike.
    """
    if tag.startswith(_LINK_OR_SPAN):
        return _plain("a" if tag[0] == "a" else "span")
    if tag.startswith(("!", "?")):
        return _COMMENT
    name, space, _ = tag.partition(" ")
    if not space:
        number = _plain(tag)
    elif name in _INLINE:
        return describe(name)
    else:
        number = _named(name, tag)
    _tags[tag] = number
    return number


def _plain(name: str) -> int:
    if name.startswith("/"):
        return TAG.get(name[1:], 0) | END
    return (
        TAG.get(name, 0)
        | _OF_TAG_BITS.get(name, 0)
        | (zlib.crc32(name.encode("utf-8", "replace")) & 0x7FFFFF) << _STYLE_SHIFT
    )


def _named(name: str, tag: str) -> int:
    """An element with attributes."""
    number = TAG.get(name, 0) | _OF_TAG_BITS.get(name, 0)
    values = _NAMING.findall(tag)
    for value in values:
        known = _classes.get(value)
        number |= _words(value) if known is None else known
    if " role=" in tag or " style=" in tag or " hidden" in tag or " aria-" in tag or " itemprop=" in tag:
        for key, value in _RARE.findall(tag):
            number |= _attribute(key, value)
    style = f"{name} {values[0]}" if values else name
    return number | (zlib.crc32(style.encode("utf-8", "replace")) & 0x7FFFFF) << _STYLE_SHIFT


def _words(value: str) -> int:
    purposes = 0
    for term in value.replace("-", " ").replace("_", " ").lower().split():
        known = _terms.get(term)
        purposes |= _term_purposes(term) if known is None else known
    if purposes & PURPOSE["content"] and _BODY_TEXT.search(value):
        purposes |= PURPOSE["body_text"]
    if purposes & PURPOSE["hidden"] and _FOR_READERS.search(value):
        purposes |= PURPOSE["unseen"]
    _classes[value] = purposes
    return purposes


def _term_purposes(term: str) -> int:
    purposes = _WHOLE.get(term, 0)
    if match := _STEM.match(term):
        purposes |= _STEMS[match.group()]
    _terms[term] = purposes
    return purposes


def _attribute(key: str, value: str) -> int:
    if key == "role":
        return PURPOSE[_OF_ROLE[value]] if value in _OF_ROLE else 0
    if key == "itemprop":
        return PURPOSE["article_body"] if value in ("articleBody", "text", "description", "reviewBody") else 0
    if key == "style":
        return PURPOSE["unseen"] if _INVISIBLE.search(value.lower()) else 0
    if key == "aria-modal":
        return PURPOSE["overlay"] if value == "true" else 0
    if key == "hidden":
        return PURPOSE["unseen"]
    return PURPOSE["hidden"] if value == "true" else 0
