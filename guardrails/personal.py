"""Personal data, by format: addresses of mail and machines, phones, cards, accounts, national ids,
days of birth, and names where a title or a label says that they are names.

Names and places have no format of their own: one that merely stands in a sentence is not found. A
candidate counts when its check digits are right, or, where a kind has none worth the name, when a
word before it says what it is.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from types import ModuleType

import phonenumbers
from stdnum import iban, luhn
from stdnum.br import cpf
from stdnum.ca import sin
from stdnum.ch import ssn as ahv
from stdnum.de import idnr
from stdnum.es import dni, nie
from stdnum.fr import nir
from stdnum.gb import utr
from stdnum.in_ import aadhaar, pan
from stdnum.it import codicefiscale
from stdnum.nl import bsn
from stdnum.pl import pesel
from stdnum.se import personnummer
from stdnum.us import ssn

from guardrails.detection import Detector, Finding, Pattern, Redacted, longest, whole
from guardrails.names import PATTERNS as NAMES

_FILES = re.compile(
    r"\.(css|gif|html|ico|jpe?g|js|json|md|mp4|pdf|png|py|svg|ts|txt|webp|xml|ya?ml|zip)\Z", re.I
)
"""What ends a file name and not a domain: logo@2x.png is nobody's address."""

_DIALLED = (
    r"\b(phone|tel|telefon|téléphone|teléfono|mobile|mobil|handy|cell|call|ring|fax|whatsapp|sms|"
    r"text|dial|reach)"
)
_COUNTED = (
    r"\b(order|invoice|ticket|tracking|case|sku|part|isbn|serial|item|ref|reference|batch|commit|"
    r"id|timestamp|article|doi)\b"
)
_VERSIONED = r"(\bv|\b(version|release|build|firmware|driver|section|chapter|oid))[ .:=]*\Z"

_BORN = (
    r"\b(?:d\.?o\.?b\.?|date of birth|birth ?date|birthday|born(?: on)?|geboren(?: am)?|geb\.|"
    r"geburtsdatum|date de naissance|née? le|fecha de nacimiento|data di nascita|geboortedatum)"
)
_MONTH = r"(?:jan|feb|mar|mär|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez)[\pL]{0,6}\.?"
_DAY = (
    r"(?:19|20)\d{2}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./](?:19|20)?\d{2}|"
    rf"\d{{1,2}}(?:st|nd|rd|th)?\.? (?i:{_MONTH}),? (?:19|20)\d{{2}}|"
    rf"(?i:{_MONTH}) \d{{1,2}}(?:st|nd|rd|th)?,? (?:19|20)\d{{2}}"
)

_REGIONS = (
    *("AT", "AU", "BE", "BR", "CH", "DE", "ES", "FR", "GB", "IN", "IT", "JP", "NL", "PL", "SE"),
)
"""Where a number that begins with 0 may be at home."""


def findings(text: str, pepper: bytes = b"") -> list[Finding]:
    """What is personal in a text."""
    return _DETECTOR.findings(text, pepper)


def redacted(text: str, pepper: bytes = b"") -> Redacted:
    """The text with masks such as [EMAIL], and what stood there."""
    return _DETECTOR.redacted(text, pepper)


def _valid(module: ModuleType) -> Callable[[str], bool]:
    return lambda candidate: bool(module.is_valid(candidate))


def _mail(candidate: str) -> bool:
    is_code = candidate.startswith(("git@", "hg@"))
    return len(candidate) <= 254 and not is_code and _FILES.search(candidate) is None


def _international(candidate: str) -> bool:
    number = "+" + candidate[2:] if candidate.startswith("00") else candidate
    return _dials(number, None)


def _at_home_somewhere(candidate: str) -> bool:
    return any(_dials(candidate, region) for region in _REGIONS)


def _in_america(candidate: str) -> bool:
    return _dials(candidate, "US")


def _dials(candidate: str, region: str | None) -> bool:
    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(candidate, region)))
    except phonenumbers.NumberParseException:
        return False


def _card(candidate: str) -> bool:
    digits = "".join(character for character in candidate if character.isdigit())
    return _issued(digits) and bool(luhn.is_valid(digits))


def _issued(digits: str) -> bool:
    """Whether some network issues cards with this beginning and length."""
    two, three, four = int(digits[:2]), int(digits[:3]), int(digits[:4])
    match len(digits):
        case 16:
            return (
                digits[0] == "4"
                or 51 <= two <= 55
                or 2221 <= four <= 2720
                or four == 6011
                or 644 <= three <= 659
                or 3528 <= four <= 3589
                or two == 62
            )
        case 15:
            return two in {34, 37}
        case 14:
            return two in {36, 38, 39} or 300 <= three <= 305
        case 13 | 19:
            return digits[0] == "4"
        case _:
            return False


def _machine(candidate: str) -> bool:
    try:
        address = ipaddress.ip_address(candidate)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified)


def _machine_6(candidate: str) -> bool:
    groups = [group for group in candidate.split(":") if group]
    numeric = any(character.isdigit() for character in candidate)
    return len(groups) >= 3 and numeric and _machine(candidate)


_ID = "NATIONAL_ID"

_DETECTOR = Detector(
    (
        Pattern(
            "EMAIL",
            r"[\pL\pN_][\pL\pN._%+'-]*@[\pL\pN][\pL\pN.-]*\.\pL\pL+",
            whole(_mail),
        ),
        Pattern(
            "IBAN",
            r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b",
            longest(_valid(iban)),
        ),
        Pattern("MAC", r"\b(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}\b"),
        Pattern("MAC", r"\b(?:[0-9A-Fa-f]{2}-){5}[0-9A-Fa-f]{2}\b"),
        Pattern(
            "CARD",
            r"\b\d{4}(?:(?: \d{4}){3}|(?:-\d{4}){3}| \d{6} \d{4,5}|-\d{6}-\d{4,5})\b",
            whole(_card),
        ),
        Pattern("CARD", r"\b\d{13,19}\b", whole(_card), unless=_COUNTED),
        Pattern(_ID, r"\b\d{3}-\d{2}-\d{4}\b", whole(_valid(ssn))),
        Pattern(_ID, r"\b[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b"),
        Pattern(_ID, r"\b\d{8}-?[A-Z]\b", whole(_valid(dni))),
        Pattern(_ID, r"\b[XYZ]-?\d{7}-?[A-Z]\b", whole(_valid(nie))),
        Pattern(
            _ID, r"\b[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]\b", whole(_valid(codicefiscale))
        ),
        Pattern(_ID, r"\b[12] ?\d{2} ?\d{2} ?\d[\dAB] ?\d{3} ?\d{3} ?\d{2}\b", whole(_valid(nir))),
        Pattern(_ID, r"\b\d{3}\.\d{3}\.\d{3}-\d{2}\b", whole(_valid(cpf))),
        Pattern(_ID, r"\b756\.\d{4}\.\d{4}\.\d{2}\b", whole(_valid(ahv))),
        Pattern(_ID, r"\b(?:19|20)?\d{6}[-+]\d{4}\b", whole(_valid(personnummer))),
        Pattern(
            _ID,
            r"(?:^|[^0-9 ]|[^0-9] )([2-9]\d{3} \d{4} \d{4})(?:$|[^0-9 ]| (?:$|[^0-9]))",
            whole(_valid(aadhaar)),
        ),
        Pattern(
            _ID, r"\b\d{2} ?\d{3} ?\d{3} ?\d{3}\b", whole(_valid(idnr)), near=r"steuer|idnr|tax"
        ),
        Pattern(_ID, r"\b\d{11}\b", whole(_valid(pesel)), near=r"pesel"),
        Pattern(_ID, r"\b\d{11}\b", whole(_valid(cpf)), near=r"\bcpf"),
        Pattern(_ID, r"\b\d{9}\b", whole(_valid(bsn)), near=r"\bbsn|burgerservice"),
        Pattern(_ID, r"\b\d{10}\b", whole(_valid(utr)), near=r"\butr|taxpayer"),
        Pattern(
            _ID,
            r"\b\d{3}[ -]?\d{3}[ -]?\d{3}\b",
            whole(_valid(sin)),
            near=r"\bsin\b|social insurance",
        ),
        Pattern(_ID, r"\b[A-Z]{5}\d{4}[A-Z]\b", whole(_valid(pan)), near=r"\bpan\b"),
        Pattern(
            "PHONE",
            r"(?:\+|\b00)[1-9]\d{0,2}[ ./()-]{0,3}(?:\d[ ./()-]{0,2}){5,13}\d",
            longest(_international),
        ),
        Pattern(
            "PHONE",
            r"(?:\([2-9]\d{2}\) ?|\b[2-9]\d{2}[. -])[2-9]\d{2}[. -]\d{4}\b",
            whole(_in_america),
            unless=_COUNTED,
        ),
        Pattern("PHONE", r"\b[2-9]\d{2}[2-9]\d{6}\b", whole(_in_america), near=_DIALLED),
        Pattern(
            "PHONE",
            r"\(?\b0\d(?:[ ./()-]{0,2}\d){6,12}\b",
            longest(_at_home_somewhere),
            near=_DIALLED,
        ),
        Pattern(
            "IP",
            r"(?:^|[^0-9.])((?:\d{1,3}\.){3}\d{1,3})(?:$|[^0-9.]|\.(?:$|[^0-9]))",
            whole(_machine),
            unless=_VERSIONED,
        ),
        Pattern(
            "IP",
            r"(?:^|[^0-9A-Za-z:.])((?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4})(?:$|[^0-9A-Za-z:])",
            whole(_machine_6),
        ),
        Pattern("BIRTH", rf"(?i:{_BORN})[ \t]{{0,3}}[:=]?[ \t]{{0,3}}({_DAY})"),
        *NAMES,
    )
)
