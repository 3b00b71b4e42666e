"""URLs made absolute and canonical, whatever stands in a page."""

from unittest.mock import patch

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from filters.urls import canonical, host_of, page_identity

PIECES = (
    "/", "//", "a", "b.jpg", ".", "..", "?x=1", "#f", ";p", ":", "@", "cdn.example", "A.Example", "%20", "%", "é", "[",
    "]", "\t", " ", "http:", "https://", "?", "&", "~", "-", "\x00", "xn--", "。", "%5B", "ß", ":99999", "[]@",
)  # fmt: skip
BASES = (
    "https://site.example/dir/p.html", "http://Site.Example:80/x?y#z", "https://u:p@h.example/a/", "ftp://f.example/x",
    "https://[::1]/a", "http://[x", "//h.example/q", "", "data:x", "https://h.example", "HTTPS://site.example/a",
)  # fmt: skip
addresses = st.lists(st.sampled_from(PIECES), max_size=7).map("".join)


@given(addresses, st.sampled_from(BASES))
@example("https://[]@", "")  # on which yarl 1.25 raises IndexError
@settings(max_examples=2000, deadline=None)
def test_whatever_stands_in_a_page_is_a_url_or_none(address: str, base: str) -> None:
    found = canonical(address, base)
    assert found is None or found.startswith(("http://", "https://"))
    for url in (address, found or ""):
        assert isinstance(page_identity(url) + host_of(url), str)


@given(addresses.map("/".__add__), st.sampled_from([base for base in BASES if base]))
@settings(max_examples=2000, deadline=None)
def test_an_address_behind_a_host_is_joined_as_urljoin_does(address: str, base: str) -> None:
    with patch("filters.urls._rooted", lambda *_: ""):  # then urljoin joins it
        joined = canonical(address, base)
    assert canonical(address, base) == joined


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("/a/b.jpg?w=1", "https://site.example/a/b.jpg?w=1"),
        ("//cdn.example/b.jpg", "https://cdn.example/b.jpg"),
        ("/a/../b.jpg", "https://site.example/b.jpg"),
        ("/a b.jpg#f", "https://site.example/a%20b.jpg"),
        ("\\a\\b.jpg", "https://site.example/a/b.jpg"),
        ("b.jpg", "https://site.example/dir/b.jpg"),
        ("ftp://cdn.example/b.jpg", None),
    ],
)
def test_addresses_of_a_page(address: str, found: str | None) -> None:
    assert canonical(address, "https://site.example/dir/p.html") == found
