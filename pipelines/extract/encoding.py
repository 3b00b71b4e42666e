"""Bytes of a page to text: byte order mark, HTTP header, meta element, detection, and which of them to believe."""

import codecs
import re

from resiliparse.parse.encoding import detect_encoding

from pipelines.extract import native

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_BOM_BYTES = tuple(bom for bom, _ in _BOMS)
_META = re.compile(rb"<meta[^>]{0,512}?charset\s*=\s*[\"']?\s*([a-zA-Z0-9_:.-]+)", re.IGNORECASE)
_XML = re.compile(rb"^\s*<\?xml[^>]{0,256}?encoding\s*=\s*[\"']([a-zA-Z0-9_:.-]+)", re.IGNORECASE)
_META_WITHIN = 4096
# Characters beyond ASCII; of Korean pages so many at least, and this share of them, are syllables of Hangul.
_FOREIGN, _HANGUL, _MOSTLY_HANGUL = re.compile(r"[^\x00-\x7f]"), 20, 0.8
# What browsers decode with where a page names a narrower or older set (WHATWG Encoding Standard, names and labels).
_WIDER = {
    "ascii": "cp1252", "iso8859-1": "cp1252", "latin-1": "cp1252", "gb2312": "gb18030", "gbk": "gb18030",
    "shift_jis": "cp932", "euc_kr": "cp949", "iso8859-9": "cp1254", "iso8859-11": "cp874", "tis-620": "cp874",
    "big5": "big5hkscs",
}  # fmt: skip
# Servers send these by default, whatever the page is in, so a page that says otherwise is believed.
_WEAK = frozenset({"cp1252"})


def to_utf8(body: bytes, header_charset: str) -> tuple[bytes, str]:
    """A page in UTF-8, and the encoding that it was in; what cannot be decoded becomes U+FFFD.

    Valid UTF-8 is UTF-8 whatever was declared: text in another encoding practically never looks like it. It is only
    checked, not decoded: that is the parser's work.
    """
    if not body.startswith(_BOM_BYTES) and _is_utf8(body):
        return body, "utf-8"
    text, encoding = decode(body, header_charset)
    return text.encode("utf-8", "replace"), encoding


def _is_utf8(body: bytes) -> bool:
    if b"\x1b" in body and b"\x1b$" in body and body.isascii():
        return False  # ISO-2022-JP, which is written in seven bits
    return bool(native.is_utf8(body, len(body)))


def decode(body: bytes, header_charset: str) -> tuple[str, str]:
    """Text of a page and the encoding that it was decoded with; what cannot be decoded becomes U+FFFD."""
    for bom, encoding in _BOMS:
        if body.startswith(bom):
            return body[len(bom) :].decode(encoding, "replace"), encoding
    declared = [name for label in (header_charset, _meta_charset(body)) if (name := _known(label))]
    if "iso2022_jp" not in declared:
        try:
            return body.decode("utf-8"), "utf-8"
        except UnicodeDecodeError:
            pass
    encoding = _choose(body, declared)
    return body.decode(encoding, "replace"), encoding


def _choose(body: bytes, declared: list[str]) -> str:
    strong = [name for name in declared if name not in _WEAK and name != "utf-8"]
    for name in strong:
        if _mostly_decodes(body, name):
            return name
    detected = _known(detect_encoding(body) or "")
    if "utf-8" in declared and detected in (None, "utf-8", "cp1252") and _mostly_decodes(body, "utf-8"):
        return "utf-8"
    if detected in (None, "utf-8") and not _mostly_decodes(body, "utf-8") and _is_korean(body):
        return "cp949"
    return detected or (declared[0] if declared else "cp1252")


def _mostly_decodes(body: bytes, name: str) -> bool:
    """Whether at most one character in a thousand is not valid: pages are cut and pasted, few are flawless."""
    text = body.decode(name, "replace")
    return text.count("\ufffd") * 1000 <= len(text)


def _is_korean(body: bytes) -> bool:
    """Whether a page is Korean in its own encoding, which detection takes for UTF-8."""
    foreign = _FOREIGN.findall(body.decode("cp949", "replace"))
    hangul = sum("\uac00" <= character <= "\ud7a3" for character in foreign)
    return hangul >= _HANGUL and hangul >= _MOSTLY_HANGUL * len(foreign)


def _meta_charset(body: bytes) -> str:
    head = body[:_META_WITHIN]
    match = _META.search(head) or _XML.search(head)
    return match.group(1).decode("ascii") if match else ""


def _known(label: str) -> str | None:
    """Python's name of the encoding that a label stands for; None where pages are not written in it."""
    try:
        name = codecs.lookup(label.strip()).name if label else ""
        "".encode(name or "utf-8")
    except (LookupError, UnicodeError, ValueError):
        return None
    if not name:
        return None
    return _WIDER.get(name, name) if name.startswith(_TEXT_ENCODINGS) else None


_TEXT_ENCODINGS = (
    "utf", "ascii", "iso", "cp", "gb", "big5", "euc", "shift", "koi8", "mac", "tis", "windows", "latin", "hz", "johab",
)  # fmt: skip
