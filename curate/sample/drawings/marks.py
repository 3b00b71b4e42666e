"""Page furniture of the sample crawl: logos, an icon, a banner. All of it is what a curator should throw away."""

from curate.sample.drawings.canvas import Canvas


def logo(c: Canvas, ground: str, letter: str) -> None:
    """A round site mark with one letter (frame 32 x 32)."""
    c.rect(0, 0, 32, 32, "#ffffff")
    c.oval(16, 16, 15, 15, ground)
    c.text(16, 16.5, letter, 19, "#ffffff")


def share_icon(c: Canvas) -> None:
    """Three joined dots (frame 16 x 16)."""
    c.line([(12, 3), (4, 8), (12, 13)], "#55606e", 1.6)
    for x, y in ((12, 3), (4, 8), (12, 13)):
        c.oval(x, y, 2.6, 2.6, "#55606e")


def banner(c: Canvas) -> None:
    """A loud 468 x 60 advertisement."""
    c.gradient(0, 60, "#ffd54a", "#ff9f1c")
    c.rect(0, 0, 468, 4, "#c0392b")
    c.text(168, 31, "WINTER SALE: LAMPS AND ROPE", 19, "#8c1d18")
    c.rect(346, 14, 454, 46, "#c0392b")
    c.text(400, 30, "SHOP NOW", 15, "#ffffff")


def placeholder(c: Canvas) -> None:
    """The grey box that lazy pages show first (frame 48 x 36)."""
    c.rect(0, 0, 48, 36, "#e4e4e4")
