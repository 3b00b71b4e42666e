"""Two small PDFs of the sample crawl, written object by object so that no PDF package is needed.

One has two pages of text; the other one page with text and an embedded JPEG. They use the standard Helvetica
and plain ASCII. This is no PDF writer for anything else.
"""

from curate.sample.faults import Reply
from curate.sample.pictures import MUSEUM, OVEN, PICTURES

GUIDE = (
    (
        "A short guide to the headland walk",
        "The walk begins at the quay and takes about an hour and a half.",
        "Follow the white stones past the boat sheds to the first stile.",
        "In spring the bank above the path is full of thrift and squill;",
        "please keep dogs on a lead until the last of the chicks have flown.",
        "From the second stile you can see the banded tower for the first",
        "time, and beyond it, on a clear day, the island and its two reefs.",
    ),
    (
        "At the lighthouse",
        "The tower has one hundred and twelve steps. There is no lift.",
        "Every step was cut from the same quarry, and the seventh is worn",
        "deeper than the rest, since that is where the keepers turned to",
        "look at the weather before they went on up to wind the clockwork.",
        "The lamp is lit twenty minutes before sunset. Visitors who wish",
        "to watch should tell the attendant by four in the afternoon.",
    ),
)
BREAD_CARD = (
    "Recipe card: a round country loaf",
    "Flour 900 g, water 650 g, ripe starter 200 g, salt 18 g.",
    "Mix the flour and the water and leave them for forty minutes.",
    "Add the starter and the salt; fold four times, half an hour apart.",
    "Shape, rest overnight in a cold place, and bake in a lidded pot:",
    "twenty-five minutes with the lid at 240 degrees, twenty without it.",
)


def _document(objects: list[bytes]) -> bytes:
    """A PDF file from its objects, numbered from 1; the first must be the catalogue."""
    out, offsets = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", []
    for number, data in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n" % number + data + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    start, count = len(out), len(objects) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n" % count + table
    return out + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, start)


def _stream(head: bytes, data: bytes) -> bytes:
    return b"<< " + head + b" /Length %d >>\nstream\n" % len(data) + data + b"\nendstream"


def _words(lines: tuple[str, ...], top: int) -> bytes:
    """Drawing commands for a heading and the lines below it."""
    out = b"BT /F1 20 Tf 1 0 0 1 72 %d Tm (" % top + lines[0].encode("ascii") + b") Tj ET\n"
    for row, line in enumerate(lines[1:]):
        out += b"BT /F1 12 Tf 1 0 0 1 72 %d Tm (" % (top - 40 - 20 * row) + line.encode("ascii") + b") Tj ET\n"
    return out


FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"


def text_pdf() -> bytes:
    """Two pages of text."""
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R "
    page += b"/Resources << /Font << /F1 3 0 R >> >> >>"
    return _document(
        [
            b"<< /Type /Catalog /Pages 2 0 R /Lang (en) >>",
            b"<< /Type /Pages /Kids [4 0 R 5 0 R] /Count 2 >>",
            FONT,
            page % 6,
            page % 7,
            _stream(b"", _words(GUIDE[0], 760)),
            _stream(b"", _words(GUIDE[1], 760)),
        ]
    )


def picture_pdf() -> bytes:
    """One page with text and an embedded JPEG."""
    picture = PICTURES["round-loaf"]
    head = b"/Type /XObject /Subtype /Image /ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /DCTDecode"
    size = b" /Width %d /Height %d" % (picture.width, picture.height)
    shown = b"q 320 0 0 240 72 330 cm /Im1 Do Q\n"
    return _document(
        [
            b"<< /Type /Catalog /Pages 2 0 R /Lang (en) >>",
            b"<< /Type /Pages /Kids [4 0 R] /Count 1 >>",
            FONT,
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R "
            b"/Resources << /Font << /F1 3 0 R >> /XObject << /Im1 6 0 R >> >> >>",
            _stream(b"", _words(BREAD_CARD, 760) + shown),
            _stream(head + size, picture.encode()),
        ]
    )


def pdf_replies() -> list[Reply]:
    """Both documents as served."""
    return [
        Reply(f"{MUSEUM}/visit/headland-walk.pdf", "application/pdf", text_pdf()),
        Reply(f"{OVEN}/bread/country-loaf.pdf", "application/pdf", picture_pdf()),
    ]
