"""Personal data: what is found, what only looks like it, and that replacing it leaves everything else as it was."""

import json
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters import pii
from pipelines.pack import manifest
from pipelines.pack.placement import on_the_page
from pipelines.pack.samples import make_sample
from schemas.ledger import Output
from schemas.recipe import Recipe

FOUND = [
    ("email", "Write to jane.doe+news@mail.harbour-museum.org.", "jane.doe+news@mail.harbour-museum.org"),
    ("email", "(mailto:Jane_Doe@harbour.co.uk)", "Jane_Doe@harbour.co.uk"),
    ("email", "連絡先：info@harbour.jp。", "info@harbour.jp"),
    ("ip", "Login from 93.184.216.34, twice.", "93.184.216.34"),
    ("ip", "http://93.184.216.34/index", "93.184.216.34"),
    ("ip", "server 2a00:1450:4001:82b::200e answered", "2a00:1450:4001:82b::200e"),
    ("phone", "Call us: +49 (0)40 890 85-433.", "+49 (0)40 890 85-433"),
    ("phone", "office +44 20 7946 0018 or", "+44 20 7946 0018"),
    ("phone", "at (415) 861-5449 or", "(415) 861-5449"),
    ("phone", "toll-free 1-888-644-6226", "1-888-644-6226"),
    ("phone", "Tel.: 0211 77900 363", "0211 77900 363"),
    ("phone", "Téléphone : 01 42 68 53 00", "01 42 68 53 00"),
    ("phone", "電話：03-5321-1111", "03-5321-1111"),
    ("card", "paid with 4111 1111 1111 1111 today", None),
    ("card", "paid with 4539 1488 0343 6467 today", "4539 1488 0343 6467"),
    ("card", "card 371449635398431", "371449635398431"),
    ("iban", "Konto DE89 3704 0044 0532 0130 00 bei", "DE89 3704 0044 0532 0130 00"),
    ("iban", "GB82WEST12345698765432", "GB82WEST12345698765432"),
    ("iban", "IBAN NL91 ABNA 0417 1643 00 BIC ABNANL2A", "NL91 ABNA 0417 1643 00"),
]
LEFT_ALONE = [
    "Version 93.184.216.34 of the driver",
    "versions 1.2.3.4 and 2.10.34.2",
    "section 4.1.12.3",
    "the local 192.168.0.17, 10.0.0.1 and 127.0.0.1",
    "an example is 2001:db8::1, or fe80::1",
    "300.1.2.3 and 1.22.333.4444",
    "at 12:34:56 on 2021-03-04, until 05.06.2021",
    "from 1914-1918 and 1939-1945 to 2014 2015 2016",
    "ISBN 978-3-16-148410-0, 3-16-148410-X and 9783161484100",
    "order 1234567890 of 10 000 000 pieces for $1,234,567.89",
    "pi is 3.14159265358979 and e 2.718281828459045",
    "4539148803436468 fails the check",
    "the id 7245191488034364 is nobody's card",
    "DE88 3704 0044 0532 0130 00 fails the check",
    "icon@2x.png, sshd@host.service and user@localhost",
    "write to name@example.com or to name@some.test",
    "@jane on the network, 5 @ 3.50 each",
    "555-1234 is too short, and 123-456-7890 no area",
    "doi:10.1000/182.4539148803436467 and #4539148803436467",
    "MD5 d41d8cd98f00b204e9800998ecf8427e",
    "room +1 and +2, 1+1=2",
    "",
]


@pytest.mark.parametrize(("kind", "text", "found"), FOUND)
def test_what_is_somebodys_is_found(kind: str, text: str, found: str | None) -> None:
    expected = [] if found is None else [(kind, found)]
    assert [(f.kind, text[f.start : f.end]) for f in pii.find(text)] == expected


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert [text[f.start : f.end] for f in pii.find(text)] == []


def test_a_text_is_replaced_by_kind_and_counted() -> None:
    text = "Jane <jane@harbour.org>, tel. 0211 77900 363, from 93.184.216.34; copy to joe@harbour.org."
    replaced, counts = pii.replace(text, {"email": "<email>", "ip": "<ip>"})
    assert replaced == "Jane <<email>>, tel. 0211 77900 363, from <ip>; copy to <email>."
    assert counts == {"email": 2, "ip": 1}
    assert pii.replace(text, {}) == (text, {})


def test_placeholders_of_the_default_recipe_are_not_found_again() -> None:
    from curate.recipes.reading import read_recipe

    settings = read_recipe("default").pack.pii
    assert settings
    text = " ".join(text for _, text, found in FOUND if found)
    once, counts = pii.replace(text, settings.placeholders)
    assert counts.keys() == settings.placeholders.keys()
    assert pii.replace(once, settings.placeholders) == (once, {})


def test_counts_are_those_of_what_is_found() -> None:
    texts = [text for _, text, _ in FOUND] + LEFT_ALONE
    digits = np.array([sum(map(str.isdecimal, text)) for text in texts])
    counted = pii.counts(texts, digits)
    for kind, signal in pii.SIGNALS.items():
        expected = [sum(f.kind == kind for f in pii.find(text)) for text in texts]
        assert counted[signal].tolist() == expected
    assert sum(values.sum() for values in counted.values()) == len(FOUND) - 1


@pytest.mark.timeout(30)  # what looks at each place again from every other takes hours
@pytest.mark.parametrize("piece", ["1", "1.", "a.", "+1 ", "1 ", "a@", "A1 ", "1:", "(1) "])
def test_hostile_texts_hold_nothing(piece: str) -> None:
    assert list(pii.find(piece * 50_000)) == []


def _sample(placeholders: dict[str, str]) -> tuple[dict[str, Any], dict[str, int]]:
    document = {
        "doc_id": "0" * 32, "url": "https://a.test/", "warc_path": "a.warc.gz", "warc_offset": 0, "crawled_at": None,
        "title": "Ask joe@harbour.org", "language": "en", "language_score": None,
        "texts": ["Mail jane@harbour.org", None, "or +44 20 7946 0018"], "images": [None, "https://a.test/a.png", None],
        "alts": [None, "jane@harbour.org", None], "captions": [None, None, None],
    }  # fmt: skip
    names = ("url", "sha256", "phash", "width", "height", "format", "bytes")
    row = {**dict.fromkeys(names), "extension": "png"}
    sample = make_sample(
        document,
        on_the_page(document, [True] * 3),
        {"https://a.test/a.png": row},
        lambda _: b"",
        merge_texts=True,
        placeholders=placeholders,
    )
    return json.loads(sample.json), dict(sample.replaced)


def test_texts_alternative_texts_and_titles_of_a_sample_are_replaced() -> None:
    content, counts = _sample({"email": "<email>"})
    assert content["texts"] == ["Mail <email>", None, "or +44 20 7946 0018"]
    assert content["metadata"][1]["alt"] == "<email>"
    assert content["general_metadata"]["title"] == "Ask <email>"
    assert counts == {"email": 3}
    as_it_is, none = _sample({})
    assert as_it_is["texts"][0] == "Mail jane@harbour.org" and not none


def test_the_manifest_and_the_card_say_how_often_it_was_replaced() -> None:
    recipe = Recipe.model_validate({"pack": {"pii": {"email": "<email>", "ip": "<ip>"}}})
    shards = [Output(path=f"shards/0000{i}-000.tar", bytes=1, sha256="0", counts={"replaced:email": 2}) for i in (0, 1)]
    described = manifest.manifest(recipe, shards)
    assert described["replaced"] == {"email": 4, "ip": 0}
    assert "placeholders: email 4, ip 0." in manifest.card(described, [], recipe)
    as_it_is = manifest.manifest(Recipe(), shards)
    assert "replaced" not in as_it_is and "placeholders" not in manifest.card(as_it_is, [], Recipe())


_PLAIN = {
    "_IPV4": r"(?<![\w.,+-])(?<![A-Za-z]/)(?:\d{1,3}\.){3}\d{1,3}(?![\w-]|[.,]\d)",
    "_IPV6": r"(?<![\w:.])[23][0-9a-fA-F]{3}:(?:[0-9a-fA-F]{0,4}:){1,6}[0-9a-fA-F]{0,4}(?![\w:]|\.\w)",
    "_NUMBER": r"(?<![\w.,/=+-])[+(]{0,2}\d+",
}


@given(st.text(st.sampled_from("0123456789.:+-( )/,abF\n"), max_size=40), st.sampled_from(sorted(_PLAIN)))
@settings(max_examples=500, deadline=None)
def test_what_begins_with_a_character_finds_what_begins_with_a_look_back(text: str, name: str) -> None:
    found = [match.span() for match in getattr(pii, name).finditer(f"{text} 1.2.3.4 2001:db8::1 +49")]
    assert found == [match.span() for match in re.finditer(_PLAIN[name], f"{text} 1.2.3.4 2001:db8::1 +49")]
