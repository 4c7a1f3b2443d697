"""Names of people where a text says that they are names: behind a title, a label or a few words.

"Dr. Maria Keller", "First name: Maria", "my name is Maria Keller". A name that merely stands in a
sentence looks like any other word with a capital, and is not found; nor is one whose label may as
well be that of a file, a firm or a product, unless it is of two words and stands alone behind it.

The patterns find where a name may begin, and know no letters but those of the labels: classes of
Unicode letters would take more memory than the engine has. What a name is, is decided in Python, of
a few dozen characters.
"""

from __future__ import annotations

import re

from guardrails.detection import Check, Pattern

_TITLES = (
    r"(?:Mr|Mrs|Ms|Mx|Dr|Prof|Hr|Fr|Mme|Mlle|Sra|Srta|Dott|Sig|Dhr|Mevr|Miss|Madam|Herrn?|Frau|"
    r"Monsieur|Madame|Mademoiselle|Señora?|Señorita|Signora?|Doctor|Professor|Meneer|Mevrouw)"
)
_BEHIND_A_TITLE = {"dr", "prof", "med", "jur", "phil", "rer", "nat", "h", "c", "ing"}
_OF_A_PERSON = (
    r"(?:first|given|last|family|maiden|middle|sur|christian|birth)[ _-]?names?|forename|"
    r"(?:customer|client|patient|employee|applicant|candidate|passenger|guest|caller|sender|"
    r"recipient|card ?holder|account[ _-]?holder|student|teacher|doctor|tenant|member|spouse|"
    r"parent|contact|person|legal)(?:'s)?[ _-]?(?:full[ _-]?)?name|"
    r"vorname|nachname|familienname|geburtsname|prénom|nom de famille|apellidos?|cognome|voornaam|"
    r"achternaam|nazwisko"
)
_GENERIC = r"(?:full[ _-]?)?name|nom(?: complet)?|nombre(?: completo)?|nome(?: completo)?|naam"
_SAID = (
    r"(?:my(?: full)? name(?:'s| is)|i am called|ich hei(?:ß|ss)e|mein name ist|je m'appelle|"
    r"mon nom est|me llamo|mi nombre es|mi chiamo|ik heet|mijn naam is)"
)
PARTICLES = "van von vom zu zur de del della di da dos das du der den la le al el bin ibn ten ter"
NO_PERSON = """
access account administrator agency ambassador api app application architect art assistant
associates association bank board book bot branch brand bridge building business button cable
cafe captain car center centre chair chairman chat city class clinic cloud club column command
committee company config controller corp corporation council customer data database day default
deluxe department desk developer device director division document dollar domain drive edition
engine engineer enterprise error european event excellency express factory field file finance
fire food form foundation game garden gateway general gmbh group guide hall helpdesk home
hospital hotel house inc index information input institute insurance international internet
judge key king kit lab lane law layer lead limited line list ltd machine madam mail main
management manager market medical member minister model module museum name network new news node
none null number of office officer order output page park party patient phone plan platform plc
president pro product professor program project property provider public queen queue report
request research response restaurant road room router sales san school script search secretary
section security server service services shop sir site smart society software solutions some
speaker specialist squad staff standard station status store street string studio support system
table task team tech technician technology test the this tool town trading trust union unit
universe university unknown update user value variable vendor version village virus web website
widget windows wizard world yes your
"""
"""What stands behind a title or a label where no person does."""

_PARTICLES, _NO_PERSON = frozenset(PARTICLES.split()), frozenset(NO_PERSON.split())
_PART = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*\.?")
_MOST = 4
"""Parts of a name."""


def _of_people(candidate: str) -> int:
    """How many characters at its beginning are a name."""
    begin = end = parts = 0
    for word in re.finditer(r"\S+", candidate):
        text = word[0]
        if parts == 0 and text.rstrip(".").casefold() in _BEHIND_A_TITLE and text.endswith("."):
            continue
        found = _PART.match(text)
        plain = found[0].rstrip(".") if found else ""
        if plain in _PARTICLES and parts + 1 < _MOST:
            continue
        if not _is_part(plain) or parts == _MOST:
            break
        is_initial = len(plain) == 1
        ends_here = found is None or found.end() < len(text) or (text[-1] == "." and not is_initial)
        parts += not is_initial
        begin, end = begin or word.start(), word.start() + len(plain) + is_initial
        if ends_here:
            break
    return end if parts else 0


def _is_part(word: str) -> bool:
    shouted = len(word) > 3 and word.isupper()
    return word[:1].isupper() and not shouted and word.casefold() not in _NO_PERSON


def _of_several(candidate: str) -> int:
    """The whole, where it is of two parts or more, and of nothing else."""
    plain = candidate.rstrip(" .")
    return len(plain) if " " in plain and _of_people(plain) == len(plain) else 0


def _pattern(regex: str, check: Check) -> Pattern:
    return Pattern("NAME", regex, check, again=True)


_BETWEEN = r"[\"']?[ \t]{0,3}[:=][ \t]{0,3}[\"']?"
_CANDIDATE = r"([^\s,;:!?(){}<>|\"\[\]][^\n\r\t,;:!?(){}<>|\"\[\]]{0,60})"

PATTERNS = (
    _pattern(rf"(?:^|[^A-Za-z]){_TITLES}\.? {_CANDIDATE}", _of_people),
    _pattern(rf"(?i:(?:^|[^A-Za-z])(?:{_OF_A_PERSON})){_BETWEEN}{_CANDIDATE}", _of_people),
    _pattern(
        rf"(?i:(?:^|[\n\r,;(\[{{|>*\"'-])[ \t]{{0,8}}[\"']?(?:{_GENERIC})){_BETWEEN}{_CANDIDATE}",
        _of_several,
    ),
    _pattern(rf"(?i:(?:^|[^A-Za-z]){_SAID}) {_CANDIDATE}", _of_people),
)
"""In the order in which they count."""
