"""Sentences with personal data that was made up by the rules of each format, and their twins.

A twin looks alike and is harmless: a check digit is wrong, or it counts something else.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple

import phonenumbers

_SURROUNDINGS = (
    "Please write down {}, thank you.",
    "Customer said: {}",
    "{} is what was on file.",
    "We got ({}) yesterday; is that right?",
    "Re: your visit\n\n  - {}\n  - paid on 2024-03-05 at 12:30",
    "naïve café 😀 {}!",
)

DIGITS = "0123456789"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Case(NamedTuple):
    """A sentence, and what in it is personal (empty in a twin). A maker sets words before a |."""

    text: str
    kind: str
    value: str


def _digits(luck: random.Random, count: int) -> str:
    return "".join(luck.choice(DIGITS) for _ in range(count))


def _luhn(payload: str) -> str:
    total = 0
    for place, digit in enumerate(reversed(payload)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return payload + str(-total % 10)


def email(luck: random.Random) -> str:
    first = luck.choice(["ann", "jörg", "li.wei", "o'neil", "m_garcia", "bob+news", "x", "80s-fan"])
    host = luck.choice(["example", "mail.uni-bonn", "bücher", "a1", "my-shop", "sub.sub2.firm"])
    return f"{first}{luck.randrange(99)}@{host}.{luck.choice(['com', 'de', 'co.uk', 'museum'])}"


def card(luck: random.Random) -> str:
    start, length = luck.choice([("4", 16), ("5" + luck.choice("12345"), 16), ("37", 15),
                                 ("6011", 16), ("2345", 16), ("3530", 16)])  # fmt: skip
    number = _luhn(start + _digits(luck, length - len(start) - 1))
    between = luck.choice(["", " ", "-"])
    cuts = (4, 10, 15) if length == 15 else (4, 8, 12, 16)
    parts = [number[a:b] for a, b in zip((0, *cuts), cuts, strict=False)]
    return between.join(parts)


def iban(luck: random.Random) -> str:
    country, body = luck.choice([
        ("DE", _digits(luck, 18)),
        ("GB", "WEST" + _digits(luck, 14)),
        ("AT", _digits(luck, 16)),
        ("CH", _digits(luck, 17)),
        ("NO", ""),
    ])  # fmt: skip
    if country == "NO":
        account = _digits(luck, 10)
        weights = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
        pairs = zip(account, weights, strict=True)
        left = -sum(int(digit) * weight for digit, weight in pairs) % 11
        if left == 10:
            return iban(luck)
        body = account + str(left)
    spelt = "".join(str(int(letter, 36)) for letter in f"{body}{country}00")
    number = f"{country}{98 - int(spelt) % 97:02d}{body}"
    spaced = " ".join(number[at : at + 4] for at in range(0, len(number), 4))
    return luck.choice([number, spaced])


def phone(luck: random.Random) -> str:
    region = luck.choice(["US", "DE", "GB", "FR", "IN", "JP", "BR", "AU", "ES", "PL", "CA"])
    kinds = phonenumbers.PhoneNumberType
    kind = luck.choice([kinds.MOBILE, kinds.FIXED_LINE])
    number = phonenumbers.example_number_for_type(region, kind)
    assert number is not None
    forms = phonenumbers.PhoneNumberFormat
    told = phonenumbers.format_number(number, luck.choice([forms.INTERNATIONAL, forms.E164]))
    if region in {"US", "CA"} and luck.random() < 0.5:
        return str(phonenumbers.format_number(number, forms.NATIONAL))
    if region in {"DE", "GB", "FR"} and luck.random() < 0.3:
        said = luck.choice(["Phone: ", "call me at ", "mobile "])
        return f"{said}|" + str(phonenumbers.format_number(number, forms.NATIONAL))
    return str(told)


def american_ssn(luck: random.Random) -> str:
    area = luck.choice([*range(1, 666), *range(667, 900)])
    return f"{area:03d}-{luck.randrange(1, 100):02d}-{luck.randrange(1, 10000):04d}"


def british_nino(luck: random.Random) -> str:
    number = _digits(luck, 6)
    told = f"{luck.choice('ABCEHJKLM')}{luck.choice('ABCEHJKLM')}{number}{luck.choice('ABCD')}"
    return luck.choice([told, f"{told[:2]} {told[2:4]} {told[4:6]} {told[6:8]} {told[8]}"])


def spanish_dni(luck: random.Random) -> str:
    number = luck.randrange(10**7, 10**8)
    return f"{number}{'TRWAGMYFPDXBNJZSQVHLCKE'[number % 23]}"


def brazilian_cpf(luck: random.Random) -> str:
    digits = [luck.randrange(10) for _ in range(9)]
    for _ in range(2):
        weight = len(digits) + 1
        left = sum(digit * (weight - at) for at, digit in enumerate(digits)) * 10 % 11
        digits.append(left % 10)
    told = "".join(map(str, digits))
    return f"{told[:3]}.{told[3:6]}.{told[6:9]}-{told[9:]}"


def polish_pesel(luck: random.Random) -> str:
    payload = f"{luck.randrange(50, 99)}{luck.randrange(1, 13):02d}{luck.randrange(1, 29):02d}"
    payload += _digits(luck, 4)
    weights = (1, 3, 7, 9) * 3
    total = sum(int(digit) * weight for digit, weight in zip(payload, weights, strict=False))
    return f"PESEL |{payload}{-total % 10}"


def french_nir(luck: random.Random) -> str:
    body = f"{luck.choice('12')}{_digits(luck, 2)}{luck.randrange(1, 13):02d}"
    body += f"{luck.randrange(10, 95)}"
    body += f"{luck.randrange(1, 900):03d}{luck.randrange(1, 999):03d}"
    return f"{body}{97 - int(body) % 97:02d}"


def address_4(luck: random.Random) -> str:
    return ".".join(str(luck.randrange(1, 127)) for _ in range(4))


def address_6(luck: random.Random) -> str:
    groups = [f"{luck.randrange(1, 65536):x}" for _ in range(8)]
    return luck.choice([":".join(groups), f"2001:db8:{groups[0]}::{groups[1]}"])


def mac(luck: random.Random) -> str:
    return luck.choice(":-").join(f"{luck.randrange(256):02X}" for _ in range(6))


MAKERS: dict[str, tuple[Callable[[random.Random], str], ...]] = {
    "EMAIL": (email,),
    "CARD": (card,),
    "IBAN": (iban,),
    "PHONE": (phone,),
    "NATIONAL_ID": (
        american_ssn,
        british_nino,
        spanish_dni,
        brazilian_cpf,
        polish_pesel,
        french_nir,
    ),
    "IP": (address_4, address_6),
    "MAC": (mac,),
}


def people(seed: int, of_each: int) -> list[Case]:
    """So many sentences of each kind, each with one finding to be made."""
    luck = random.Random(seed)
    cases = []
    for kind, makers in MAKERS.items():
        for number in range(of_each):
            before, _, value = makers[number % len(makers)](luck).rpartition("|")
            text = luck.choice(_SURROUNDINGS).format(before + value)
            cases.append(Case(text, kind, value))
    return cases


def _wrong_card(luck: random.Random) -> str:
    right = card(luck)
    return right[:-1] + DIGITS[(int(right[-1]) + luck.randrange(1, 10)) % 10]


def _wrong_iban(luck: random.Random) -> str:
    right = iban(luck)
    return right[:-1] + DIGITS[(int(right[-1]) + luck.randrange(1, 10)) % 10]


TWINS: tuple[Callable[[random.Random], str], ...] = (
    _wrong_card,
    _wrong_iban,
    lambda luck: f"logo{luck.randrange(9)}@2x.png",
    lambda luck: f"@user{luck.randrange(999)} and u/name_{luck.randrange(99)}",
    lambda luck: f"git@github.com:org/repo{luck.randrange(9)}.git",
    lambda luck: f"pip install package=={luck.randrange(9)}.{luck.randrange(99)}.1",
    lambda luck: f"version {luck.randrange(9)}.{luck.randrange(9)}.{luck.randrange(9)}.1 is out",
    lambda luck: f"20{_digits(luck, 2)}-0{luck.randrange(1, 9)}-11T12:30:0{luck.randrange(9)}Z",
    lambda luck: f"order {_digits(luck, 16)}",
    lambda luck: f"order number 415-{_digits(luck, 3)}-{_digits(luck, 4)}",
    lambda luck: f"${luck.randrange(999)},{_digits(luck, 3)}.{_digits(luck, 2)}",
    lambda luck: f"{_digits(luck, 3)} x {_digits(luck, 3)} = {_digits(luck, 6)}",
    lambda luck: f"pi is 3.14159{_digits(luck, 14)}",
    lambda luck: f"666-{_digits(luck, 2)}-{_digits(luck, 4)}",
    lambda luck: f"std::vector::{luck.choice(['begin', 'end', 'add'])}() and a::b",
    lambda luck: f"127.0.0.1:{luck.randrange(1024, 65536)}",
    lambda luck: f"{luck.randrange(300, 999)}.{luck.randrange(256)}.{luck.randrange(256)}.1",
    lambda luck: f"{luck.randrange(9)}.{luck.randrange(9)}.{luck.randrange(9)}.4.7",
    lambda luck: f"sha {''.join(luck.choice('0123456789abcdef') for _ in range(40))}",
    lambda luck: f"rows {_digits(luck, 5)} to {_digits(luck, 5)} of {_digits(luck, 6)}",
    lambda luck: f"0{_digits(luck, 2)} {_digits(luck, 3)} {_digits(luck, 4)} units were sold",
    lambda luck: f"timestamp {luck.randrange(1_600_000_000, 1_800_000_000)}{_digits(luck, 3)}",
    lambda luck: f"ISBN 978-3-16-{_digits(luck, 6)}-{luck.randrange(9)}",
    lambda luck: f"the call lasted 0{luck.randrange(1, 9)}:{_digits(luck, 2)} minutes",
    lambda luck: f"a ratio of 12:{luck.randrange(10, 59)}:{luck.randrange(10, 59)}",
)  # fmt: skip


def twins(seed: int, count: int) -> list[Case]:
    """So many sentences in which nothing is to be found."""
    luck = random.Random(seed)
    return [
        Case(luck.choice(_SURROUNDINGS).format(TWINS[number % len(TWINS)](luck)), "", "")
        for number in range(count)
    ]
