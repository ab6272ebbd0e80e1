"""Taking personal data out of a text by patterns. It finds what has a shape, so a person must read the result before it is shared.

Replaced: e-mail addresses (also as "name at shop dot com"), links and bare domains that the corpus does not name, IP addresses,
@handles, telephone numbers, account numbers, and the name after "my name is", "I am" and the like.

Not found, because it looks like any other word: a name anywhere else ("ask Peter in sales"), names of companies, shops, streets and
towns, a trade so rare that it tells who asks, a handle without its @, a short number (a house number, an age, six digits or fewer),
a telephone number in a national form without a leading 0 or a word such as "call" before it, a name in capitals after "I AM", a domain
that ends like a file (.md, .py), the asker's own domain if the corpus happens to name it, and anything that is spelled out or misspelled
on purpose. Libraries that find more need a language model or bring dozens of packages.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from advisor.text import STOPWORDS, clean

# What is put in place is reserved for examples: RFC 2606, RFC 5737, RFC 3849, and 555-0100 in the North American plan.
EMAIL: Final = "someone@example.com"
DOMAIN: Final = "example.com"
HANDLE: Final = "@someone"
IPV4: Final = "192.0.2.1"
IPV6: Final = "2001:db8::1"
PHONE: Final = "+1 555 0100"
NUMBER: Final = "0000000"
NAME: Final = "Alex"
RESERVED: Final = frozenset({"example.com", "example.org", "example.net"})

# ---- addresses. No pattern here can be matched in two ways, so each takes time in proportion to the text.
AT: Final = re.compile(r"[\w.+%-]{1,64}@(?:[\w-]{1,63}\.){1,8}\w{2,24}")
AT_WORD: Final = re.compile(r"\b[\w.+-]{1,64} at (?:[\w-]{1,63} dot ){1,4}[a-z]{2,24}\b", re.IGNORECASE)
AT_BRACKET: Final = re.compile(
    r"\b[\w.+-]{1,64} ?[(\[{] ?at ?[)\]}] ?(?:[\w-]{1,63}(?:\.| dot | ?[(\[{] ?dot ?[)\]}] ?)){1,4}[a-z]{2,24}\b", re.IGNORECASE
)
# The words of JSON-LD and CSS that begin with the same sign are part of the trade.
AT_NAME: Final = re.compile(r"(?<![\w@.])@(?!(?:type|context|id|graph|media|import)\b)\w[\w.]{0,40}\w")
LINK: Final = re.compile(r"\b(?i:https?|ftp)://[^\s<>\"]+")
# A link is taken as a whole here too, so that a domain in it is not taken for a bare one.
BARE: Final = re.compile(
    rf"{LINK.pattern}|" r"(?<![\w@])((?:[\w-]{1,63}\.){1,20}(?:[^\W\d_]{2,24}|xn--[\w-]{1,59}))(?!\w)(?::\d{1,5})?(?:[/?#][^\s<>\"]*)?"
)
V4: Final = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\d|\.\d)")
V6: Final = re.compile(r"(?<![\w:])[0-9a-f:]{3,39}(?![\w:])", re.IGNORECASE)
# What comes after a dot without being the end of a domain.
FILE_ENDINGS: Final = frozenset(
    "txt html htm xml js ts css php asp aspx json csv tsv xlsx docx pdf png jpg jpeg gif svg webp zip gz yaml yml md py sql log".split()
)
WELL_KNOWN: Final = frozenset("com org net info biz shop store online site blog app dev edu gov".split())
MARKS_AFTER: Final = ".,;:!?…)]}'’"

# ---- numbers
RUN: Final = r"\d[\d ()./-]{4,24}\d(?!\w)"
CALLED: Final = re.compile(
    rf"\b(?P<cue>(?:tele)?phone(?: number)?(?: is)?|tel|call(?: me| us)?(?: on| at)?|whats ?app|text me(?: on| at)?|fax|"
    rf"(?:mobile|cell)(?: number| no| is)+|(?:mobile|cell)(?=:))(?P<gap>[.:]? ){RUN}",
    re.IGNORECASE,
)
TELEPHONE: Final = re.compile(rf"(?<![\w.,])(?:\+ ?\(?|\()?{RUN}")
# A country or area code in front, or three, three and four figures as in North America.
DIALED: Final = re.compile(r"\+|0[\d /(-]|\(\+?0|\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}|1[ .-]\d{3}[ .-]\d{3}[ .-]\d{4}")
PHONE_DIGITS: Final = range(6, 16)
DATE: Final = re.compile(r"\b(?:\d{1,2}[./-]){1,2}(?:19|20)\d\d\b|\b(?:19|20)\d\d(?:[./-]\d{1,2}){1,2}\b")
IBAN: Final = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b")
CARD: Final = re.compile(r"(?<!\w)\d{4}(?:[ -]\d{4}){2,4}(?!\w)")
LONG: Final = re.compile(r"(?<!\d)(?<!\d[.,])\d{7,}(?!\d|[.,]\d)")
ROUND_FIGURES: Final = 3

# ---- names
_WORD: Final = r"(?:(?:Dr|Mr|Mrs|Ms|Prof|[^\W\d_])\.|[^\W\d_]+(?:['’-][^\W\d_]+)*)"
_NAME: Final = rf"(?P<name>{_WORD}(?: {_WORD}){{0,3}})"
MY_NAME: Final = re.compile(rf"\b(?P<cue>(?i:my (?:full )?name(?: is|['’]s)|i am called)) {_NAME}")
I_AM: Final = re.compile(rf"\b(?P<cue>(?i:i am|i['’]m|im|it['’]s me|call me)) {_NAME}")
THIS_IS: Final = re.compile(rf"\b(?P<cue>(?i:this is)) {_NAME}(?=,? (?:from|here|speaking|writing)\b)")
SIGNED: Final = re.compile(rf"\b(?P<cue>(?i:regards|sincerely|greetings|cheers|thanks|thank you),?) {_NAME}(?=[.!]?$)")
# Words with a capital that follow "I am" and are no name.
NO_NAMES: Final = frozenset(
    """chief content digital director ecommerce founder freelance freelancer google head junior lead manager marketing owner product
    senior trying working running asking writing looking wondering using planning""".split()
)
SMALL_LETTER_NAMES: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrubbed:
    """A text without what was found, and what kinds of things those were, in the order of finding."""

    text: str
    removed: tuple[str, ...]


def scrub(text: str, *, known: AbstractSet[str] = frozenset()) -> Scrubbed:
    """The text, cleaned, with personal data replaced by what is reserved for examples; see the head of this file for what that misses.

    Args:
        text: What a visitor typed.
        known: Domains that may stay, in lower case without "www.", and addresses whose path may stay as well.
    """
    done = clean(text)
    removed: list[str] = []
    for kind, pattern, put in _passes(known | RESERVED):
        replaced = pattern.sub(put, done)
        if replaced != done:
            removed.append(kind)
        done = replaced
    return Scrubbed(text=done, removed=tuple(dict.fromkeys(removed)))


def domains_in(text: str) -> frozenset[str]:
    """The domains that a text names, in lower case without "www.", and the addresses that it links, to the letter."""
    links = {_split_end(match[0])[0] for match in LINK.finditer(text)}
    hosts = {_host(link) for link in links}
    bare = {_plain(match[1]) for match in BARE.finditer(text) if match[1] and _is_domain(match[1])}
    return frozenset(links | hosts | bare)


def _passes(known: AbstractSet[str]) -> tuple[tuple[str, re.Pattern[str], Callable[[re.Match[str]], str]], ...]:
    """Kind, pattern and replacement, in an order in which no pass takes a part of what a later one should take whole."""
    return (
        ("link", LINK, lambda m: _link(m[0], known)),
        ("e-mail address", AT, lambda _: EMAIL),
        ("e-mail address", AT_BRACKET, lambda _: EMAIL),
        ("e-mail address", AT_WORD, lambda _: EMAIL),
        ("handle", AT_NAME, lambda _: HANDLE),
        ("domain", BARE, lambda m: _bare(m, known)),
        ("IP address", V4, lambda m: _address(m[0], IPV4)),
        ("IP address", V6, lambda m: _address(m[0], IPV6)),
        ("account number", IBAN, lambda _: NUMBER),
        ("account number", CARD, lambda _: NUMBER),
        ("telephone number", CALLED, _called),
        ("telephone number", TELEPHONE, lambda m: PHONE if DIALED.match(m[0]) and _is_telephone(m[0]) else m[0]),
        ("long number", LONG, lambda m: m[0] if _is_round(m[0]) else NUMBER),
        ("name", MY_NAME, lambda m: _named(m, any_case=True)),
        *(("name", pattern, _named) for pattern in (I_AM, THIS_IS, SIGNED)),
    )


# ---------------------------------------------------------------------------------------------------- addresses


def _link(link: str, known: AbstractSet[str]) -> str:
    """Only an address that the corpus itself links stays whole: the path of any other may name somebody."""
    address, end = _split_end(link)
    if address in known:
        return link
    host = _host(address)
    return f"https://{host if host in known else DOMAIN}{end}"


def _bare(match: re.Match[str], known: AbstractSet[str]) -> str:
    if match[1] is None or not _is_domain(match[1]):
        return match[0]
    kept = match[1] if _plain(match[1]) in known else DOMAIN
    return f"{kept}{_split_end(match[0])[1]}"


def _is_domain(name: str) -> bool:
    """Whether a dotted name is one, and not a file, an abbreviation, or two sentences without a space between them."""
    *rest, last = name.split(".")
    low = last.lower()
    if low in FILE_ENDINGS or (len(rest) > 1 and all(len(part) == 1 for part in rest)):
        return False
    country = len(low) == len("uk")
    if last.istitle() and not rest[-1].istitle():
        return low in WELL_KNOWN or (country and low not in STOPWORDS)
    return country or low not in STOPWORDS


def _host(link: str) -> str:
    authority = re.split(r"[/?#]", link.partition("://")[2], maxsplit=1)[0]
    return _plain(authority.rpartition("@")[2].partition(":")[0])


def _plain(domain: str) -> str:
    return domain.lower().removeprefix("www.")


def _split_end(link: str) -> tuple[str, str]:
    """An address, and the marks of the sentence after it."""
    address = link.rstrip(MARKS_AFTER)
    return address, link[len(address) :]


def _address(found: str, instead: str) -> str:
    try:
        ipaddress.ip_address(found)
    except ValueError:
        return found
    return instead


# ---------------------------------------------------------------------------------------------------- numbers and names


def _called(match: re.Match[str]) -> str:
    """After such a word any grouping may be a telephone number."""
    return f"{match['cue']}{match['gap']}{PHONE}" if _is_telephone(match[0]) else match[0]


def _is_telephone(found: str) -> bool:
    """Whether there are as many digits as a telephone number has, apart from dates; noughts alone are what we put in ourselves."""
    digits = [ch for ch in DATE.sub("", found) if ch.isdigit()]
    return len(digits) in PHONE_DIGITS and set(digits) != {"0"}


def _is_round(number: str) -> bool:
    """Whether a number without separators is a quantity: at most three figures and then noughts, as in 1500000."""
    return len(number.rstrip("0")) <= ROUND_FIGURES


def _named(match: re.Match[str], *, any_case: bool = False) -> str:
    """The cue with another name; the words after the name stay."""
    words = match["name"].split()
    taken = 0
    for word in words:
        capital = word[0].isupper() and not (word.isupper() and len(word) > len("J."))
        low = re.split("['’]", word.lower())[0]
        if low in NO_NAMES or low in STOPWORDS or not (capital or any_case):
            break
        # In small letters a surname cannot be told from the next word, so one more word goes, and no third.
        if not capital and taken >= SMALL_LETTER_NAMES:
            break
        taken += 1
    return f"{match['cue']} {' '.join([NAME, *words[taken:]])}" if taken else match[0]
