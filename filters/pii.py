"""Personal data in texts: e-mail and public IP addresses, phone, card and bank account numbers, found and replaced.

Precise rather than complete: what is only shaped like one of them (version, date, ISBN, price) is left alone by
a check of its own: the domain, the range of the address, the numbering plan, Luhn's digit, the IBAN's remainder.
"""

import ipaddress
import re
from bisect import bisect
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from operator import attrgetter
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]


class Finding(NamedTuple):
    """A stretch of a text and what it is: a key of `SIGNALS`."""

    kind: str
    start: int
    end: int


_start = attrgetter("start")
# What is looked for, in the order of precedence where two overlap, and the signal that counts it.
SIGNALS = {"email": "emails", "iban": "ibans", "card": "card_numbers", "ip": "ip_addresses", "phone": "phone_numbers"}

_EMAIL = re.compile(
    r"[A-Za-z0-9_+](?<![\w.+%-].)(?:[A-Za-z0-9._%+-]{0,62}[A-Za-z0-9_+-])?"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,6}[A-Za-z]{2,18}(?![\w-]|\.\w)"
)
# logo@2x.png; and the domains that RFC 2606 sets aside for examples, so that a placeholder is not found again.
_NO_DOMAIN = re.compile(
    r"(?:\.(?:png|jpe?g|gif|webp|svg|avif|css|js|html?|php|service|socket|timer|target|test|example|invalid)"
    r"|[@.]example\.(?:com|org|net))$", re.IGNORECASE,
)  # fmt: skip
# What begins with a class of characters is found several times as fast as what begins with a look back: so the look
# back stands behind the first character, and past it.
_IPV4 = re.compile(r"\d(?<![\w.,+-].)(?<![A-Za-z]/.)\d{0,2}\.(?:\d{1,3}\.){2}\d{1,3}(?![\w-]|[.,]\d)")
_VERSION = re.compile(r"(?:version|versions|ver|release|build|firmware|kernel|update|rev|v)[.:]?\s*$", re.IGNORECASE)
_IPV6 = re.compile(r"[23](?<![\w:.].)[0-9a-fA-F]{3}:(?:[0-9a-fA-F]{0,4}:){1,6}[0-9a-fA-F]{0,4}(?![\w:]|\.\w)")
# Numbers of 14 to 16 digits, whole or in groups: four by four, or four, six and four or five.
_CARD = re.compile(
    r"\d(?<![\w.,/=#+-].)(?:\d{13,15}|\d{3}([ -])\d{4}\1\d{4}\1\d{4}|\d{3}([ -])\d{6}\2\d{4,5})(?![\w-]|[.,]\d)"
)
_IBAN = re.compile(r"[A-Z](?<![\w-].)[A-Z]\d\d(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)")
# Length of an IBAN by country (SWIFT's IBAN registry).
_IBAN_LENGTHS = {
    pair[:2]: int(pair[2:])
    for pair in (
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 "
        "FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 "
        "LU20 LV21 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19 "
        "SK24 SM27 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20"
    ).split()
}  # fmt: skip
# Where a number may begin, and what it is there: with country code; as North America writes it; or after a word that
# announces it.
_NUMBER = re.compile(r"[+(\d](?<![\w.,/=+-].)(?:(?<=\d)\d*|[+(]?\d+)")
_INTERNATIONAL = re.compile(r"(?:\+|\(\+)\d{1,3}\)?(?:[ .\-/]?\(?\d{1,6}\)?){1,7}(?!\w)")
_AMERICAN = re.compile(r"(?:1[-. ])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[-. ])[2-9]\d\d[-.]\d{4}(?!\w|[.-]\d)")
_GROUPED = re.compile(r"(?:\(?0?\d{2,6}\)?(?:[ .\-/]{1,2}\d{1,8}){1,5}|\d{7,12})(?!\w|[.,]\d)")
_ANNOUNCEMENT = re.compile(
    r"(?:(?<!\w)(?:tel|tél|tlf|t[eé]l[eé](?:phone|fon\w*)|phone|ph|fax|mobile?|mobil|cell|call|whatsapp|тел)"
    r"(?: ?(?:no|nr|number))?|電話|电话|☎|📞)\s?[.:：]{0,2}\s{0,2}$", re.IGNORECASE,
)  # fmt: skip
_ANNOUNCEMENT_REACH = 24
_PHONE_DIGITS = 7
_FEWEST_DIGITS = 4
_DIGIT = re.compile(r"\d")
_FEW_DIGITS = re.compile(rf"(?:\d\D*){{{_FEWEST_DIGITS}}}")


def counts(texts: Sequence[str], digits: Counts) -> dict[str, Counts]:
    """How many of each kind each text has, by the names of the signals; `digits` says how many digits a text has."""
    found = {signal: np.zeros(len(texts), np.int64) for signal in SIGNALS.values()}
    for index, (text, count) in enumerate(zip(texts, digits.tolist(), strict=True)):
        if count >= _FEWEST_DIGITS or "@" in text:
            for finding in _find(text, count):
                found[SIGNALS[finding.kind]][index] += 1
    return found


def find(text: str) -> list[Finding]:
    """What is found in a text, in its order, without overlaps."""
    if "@" not in text and not _FEW_DIGITS.search(text):
        return []
    return _find(text, len(_DIGIT.findall(text)))


def _find(text: str, digits: int) -> list[Finding]:
    taken: list[Finding] = []
    for fewest, finder in _FINDERS:
        for finding in finder(text) if digits >= fewest else ():
            place = bisect(taken, finding.start, key=_start)
            free = place == 0 or taken[place - 1].end <= finding.start
            if free and (place == len(taken) or finding.end <= taken[place].start):
                taken.insert(place, finding)
    return taken


def replace(text: str, placeholders: Mapping[str, str]) -> tuple[str, Counter[str]]:
    """The text with a placeholder for what is found of each kind that has one, and how often it was put in."""
    found = find(text) if placeholders else ()
    pieces, end = [], 0
    replaced: Counter[str] = Counter()
    for finding in found:
        if finding.kind in placeholders:
            pieces += [text[end : finding.start], placeholders[finding.kind]]
            end = finding.end
            replaced[finding.kind] += 1
    return "".join((*pieces, text[end:])), replaced


def _emails(text: str) -> Iterator[Finding]:
    if "@" not in text:
        return
    for match in _EMAIL.finditer(text):
        if ".." not in match[0] and not _NO_DOMAIN.search(match[0]):
            yield Finding("email", *match.span())


def _ips(text: str) -> Iterator[Finding]:
    if text.count(".") >= 3:
        for match in _IPV4.finditer(text):
            if _is_public_ipv4(match[0]) and not _VERSION.search(text[max(0, match.start() - 12) : match.start()]):
                yield Finding("ip", *match.span())
    if text.count(":") >= 2:
        for match in _IPV6.finditer(text):
            if _is_public(match[0]):
                yield Finding("ip", *match.span())


def _is_public_ipv4(address: str) -> bool:
    """Whether it is one that could be somebody's. Small numbers are a version or a section."""
    octets = [int(octet) for octet in address.split(".")]
    return sum(octet >= 32 for octet in octets) >= 2 and octets[0] < 224 and _is_public(address)


def _is_public(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_global
    except ValueError:
        return False


def _cards(text: str) -> Iterator[Finding]:
    for match in _CARD.finditer(text):
        number = re.sub(r"\D", "", match[0])
        if _is_issued(number) and _luhn(number) and len(set(number)) > 3:
            yield Finding("card", *match.span())


def _is_issued(number: str) -> bool:
    """Whether prefix and length are a network's (ISO/IEC 7812: Visa, Mastercard, Discover, JCB; Amex; Diners)."""
    length, two, four = len(number), int(number[:2]), int(number[:4])
    if length == 16:
        ranges = ((4000, 4999), (5100, 5599), (2221, 2720), (6011, 6011), (6500, 6599), (3528, 3589))
        return any(first <= four <= last for first, last in ranges)
    return two in {15: (34, 37), 14: (36, 38)}[length]


def _luhn(number: str) -> bool:
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(number))]
    return sum(value - 9 * (value > 9) for value in doubled) % 10 == 0


def _ibans(text: str) -> Iterator[Finding]:
    for match in _IBAN.finditer(text):
        number = match[0].replace(" ", "")
        length = _IBAN_LENGTHS.get(number[:2], 0)
        # A word in capitals may follow: what is too long is cut to the country's length.
        if length and len(number) >= length and _remainder(number[:length]) == 1:
            yield Finding("iban", match.start(), _end_of(match, length))


def _end_of(match: re.Match[str], length: int) -> int:
    """Where the first characters of a match, spaces not counted, end in the text."""
    places = [place for place, character in enumerate(match[0]) if character != " "]
    return match.start() + places[length - 1] + 1


def _remainder(iban: str) -> int:
    """ISO 13616: country and check digits at the end, letters as 10 to 35, modulo 97."""
    return int("".join(str(int(character, 36)) for character in iban[4:] + iban[:4])) % 97


def _phones(text: str) -> Iterator[Finding]:
    place = 0
    while begin := _NUMBER.search(text, place):
        number = _phone_at(text, begin.start())
        if number:
            yield Finding("phone", *number.span())
        place = number.end() if number else begin.end()


def _phone_at(text: str, place: int) -> re.Match[str] | None:
    """The phone number that begins at a place. The numbering plan has to know it, unless a word announces it."""
    for pattern, region in ((_INTERNATIONAL, None), (_AMERICAN, "US")):
        number = pattern.match(text, place)
        if number and _has_phone_length(number[0]) and _is_valid(number[0], region):
            return number
    number = _GROUPED.match(text, place)
    before = text[max(0, place - _ANNOUNCEMENT_REACH) : place]
    if number and _has_phone_length(number[0]) and _ANNOUNCEMENT.search(before):
        return number
    return None


def _has_phone_length(number: str) -> bool:
    return _PHONE_DIGITS <= sum(map(str.isdecimal, number)) <= 15


@cache
def _validator() -> Callable[[str, str | None], bool]:
    import phonenumbers

    def is_valid(number: str, region: str | None) -> bool:
        try:
            return phonenumbers.is_valid_number(phonenumbers.parse(number, region))
        except phonenumbers.NumberParseException:
            return False

    return is_valid


def _is_valid(number: str, region: str | None) -> bool:
    return _validator()(number, region)


# With the fewest digits that each can have.
_FINDERS: tuple[tuple[int, Callable[[str], Iterator[Finding]]], ...] = (
    (0, _emails), (11, _ibans), (14, _cards), (_FEWEST_DIGITS, _ips), (_PHONE_DIGITS, _phones),
)  # fmt: skip
