"""Addresses that a partner gave only as digests: which hash, and of which spelling.

A partner's list says `5f4dcc3b…` and not whether the address was put into lower case first, or ended in a
line feed. A digest of another spelling looks like that of another person, and nobody would ever be found. So
a list is believed only when an address that is known to be in it, a *canary*, is found in it; that tells the
form. Rules kept here:

* A digest has a *hashed key*, `sha256 5f4d…`. It holds a blank and no `@`, and so is no address's match key.
* Each form is tried on the address as written, on that without what stands around it (a display name), and
  on its match key, since the partner's spelling is unknown.
* All forms that explain the canaries count, as nothing tells them apart; but the looser ones, which join
  addresses that are not equal, only where no stricter one explains them.
* These forms are tried and no others. A salted or keyed digest is found by none of them.

The forms, with where each is met: lower case without blanks around (OPTIZMO's and most advertising
platforms'), as written (iPost's; RFC 5321 lets local parts differ by case), upper case, domain alone in lower
case; each of the first two also with a line feed (`echo address | md5sum`) and in UTF-16 (SQL Server's
`HASHBYTES` over `nvarchar`); lower case without dots at gmail.com and googlemail.com (Google Ads, customer
match: tags stay); and lower case without dots and tags at gmail.com (identity graphs such as UID2).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from suppress.core.address import Address
from suppress.core.aliases import alias_of
from suppress.core.spelling import bare


class Algorithm(StrEnum):
    """A hash function, told by the length of its digest."""

    MD5 = "md5"
    SHA1 = "sha1"
    SHA256 = "sha256"
    SHA512 = "sha512"


_BY_LENGTH = {32: Algorithm.MD5, 40: Algorithm.SHA1, 64: Algorithm.SHA256, 128: Algorithm.SHA512}
_HEX = re.compile(r"\s*(?:0x)?([0-9a-f]+)\s*", re.IGNORECASE)


class Form(StrEnum):
    """What is done to an address before it is hashed, strictest first."""

    LOWER = "lower"
    WRITTEN = "written"
    UPPER = "upper"
    DOMAIN = "domain-lower"
    LINE = "lower-line"
    WRITTEN_LINE = "written-line"
    WIDE = "lower-utf16"
    WRITTEN_WIDE = "written-utf16"
    GOOGLE = "google"
    FOLDED = "gmail-folded"


IN_WORDS = {
    Form.LOWER: "lower case",
    Form.WRITTEN: "as written",
    Form.UPPER: "upper case",
    Form.DOMAIN: "domain in lower case",
    Form.LINE: "lower case and a line feed",
    Form.WRITTEN_LINE: "as written and a line feed",
    Form.WIDE: "lower case in UTF-16",
    Form.WRITTEN_WIDE: "as written in UTF-16",
    Form.GOOGLE: "lower case without the dots of gmail",
    Form.FOLDED: "lower case without the dots and tags of gmail",
}

LOOSER = (Form.GOOGLE, Form.FOLDED)
"""Forms that join addresses which are not equal, the stricter first."""

KEEPS_CASE = frozenset({Form.WRITTEN, Form.DOMAIN, Form.WRITTEN_LINE, Form.WRITTEN_WIDE})
"""Under these, somebody whose capitals the partner wrote otherwise cannot be recognised."""


@dataclass(frozen=True, slots=True, order=True)
class Recipe:
    """How a list of digests was made."""

    algorithm: Algorithm
    form: Form

    def __str__(self) -> str:
        return f"{self.algorithm.value} of {IN_WORDS[self.form]}"


_STRICT = tuple(Recipe(algorithm, form) for algorithm in Algorithm for form in Form if form not in LOOSER)


@dataclass(frozen=True, slots=True)
class Digest:
    """A digest as it stood in a list."""

    algorithm: Algorithm
    hexadecimal: str

    @classmethod
    def parse(cls, text: str) -> Digest | None:
        """The digest that a cell holds, in either case and with or without `0x`; None if it holds none."""
        found = _HEX.fullmatch(text)
        algorithm = _BY_LENGTH.get(len(found[1])) if found else None
        return cls(algorithm, found[1].lower()) if found and algorithm else None

    @property
    def key(self) -> str:
        """The hashed key: under it the ledger knows whoever has this digest."""
        return f"{self.algorithm.value} {self.hexadecimal}"


_KEY = re.compile(r"(?:md5|sha1|sha256|sha512) [0-9a-f]+")


def is_hashed(key: str) -> bool:
    """Whether a key is that of a digest, so that there is no address to tell anybody."""
    return _KEY.fullmatch(key) is not None


def hashed_keys(address: Address, recipes: Iterable[Recipe]) -> dict[str, Recipe]:
    """The hashed keys that this address may have in lists of these recipes, with the recipe of each."""
    found: dict[str, Recipe] = {}
    spellings = _spellings(address)
    for recipe in recipes:
        for spelling in spellings:
            found.setdefault(_hashed_key(spelling, address.key, recipe), recipe)
    return found


def _spellings(address: Address) -> tuple[str, ...]:
    written = address.raw.strip()
    if written.lower() == address.key:  # nearly all there are: nothing stands around them
        return (address.key,) if written == address.key else (written, address.key)
    return tuple(dict.fromkeys((written, bare(written, address.key), address.key)))


def every_hashed_key(key: str, spellings: Iterable[str], trusted: Sequence[Recipe]) -> dict[str, Recipe]:
    """The hashed keys under which a person may stand in any list, believed or not, in any of their spellings.

    A form that joins addresses which are not equal counts only where it is trusted: a check then takes such
    a digest for this person's, and otherwise it is somebody else's.
    """
    recipes = (*trusted, *(each for each in _STRICT if each not in trusted))
    found: dict[str, Recipe] = {}
    for spelling in spellings:
        for hashed, recipe in hashed_keys(Address(spelling, key), recipes).items():
            found.setdefault(hashed, recipe)
    return found


def _hashed_key(spelling: str, key: str, recipe: Recipe) -> str:
    text = hashed_text(spelling, key, recipe.form)
    digest = hashlib.new(recipe.algorithm.value, text, usedforsecurity=False).hexdigest()
    return Digest(recipe.algorithm, digest).key


def hashed_text(spelling: str, key: str, form: Form) -> bytes:
    """What is hashed of an address under this form; `key` is its match key."""
    match form:
        case Form.LOWER:
            text = spelling.lower()
        case Form.WRITTEN:
            text = spelling
        case Form.UPPER:
            text = spelling.upper()
        case Form.DOMAIN:
            local, at, domain = spelling.rpartition("@")
            text = f"{local}{at}{domain.lower()}"
        case Form.LINE:
            text = f"{spelling.lower()}\n"
        case Form.WRITTEN_LINE:
            text = f"{spelling}\n"
        case Form.WIDE:
            return spelling.lower().encode("utf-16-le", "surrogatepass")
        case Form.WRITTEN_WIDE:
            return spelling.encode("utf-16-le", "surrogatepass")
        case Form.GOOGLE:
            # Google's own helper of December 2025: dots go at these two domains, tags and the domain stay.
            local, at, domain = spelling.lower().rpartition("@")
            local = local.replace(".", "") if domain in ("gmail.com", "googlemail.com") else local
            text = f"{local}{at}{domain}"
        case Form.FOLDED:
            alias = alias_of(key)
            text = alias.key if alias is not None and alias.provider.name == "gmail" else spelling.lower()
    return text.encode("utf-8", "surrogatepass")


def candidates(canary: Address) -> dict[str, set[Recipe]]:
    """All hashed keys that an address may have, spelled as it is, with the recipes that give each."""
    found: dict[str, set[Recipe]] = {}
    for algorithm in Algorithm:
        for form in Form:
            recipe = Recipe(algorithm, form)
            found.setdefault(_hashed_key(canary.raw.strip(), canary.key, recipe), set()).add(recipe)
    return found


def explained(canaries: Sequence[Address], keys: Collection[str]) -> dict[Address, frozenset[Recipe]]:
    """For each canary, spelled as the partner has it, the recipes that put it among these hashed keys."""
    return {
        canary: frozenset(
            recipe for key, recipes in candidates(canary).items() if key in keys for recipe in recipes
        )
        for canary in canaries
    }


def recipes_in(found: Iterable[frozenset[Recipe]]) -> tuple[Recipe, ...]:
    """The recipes that explain all canaries that were found under the same algorithm."""
    kept: set[Recipe] = set()
    sets = [each for each in found if each]
    for algorithm in Algorithm:
        forms_of = ({one.form for one in each if one.algorithm is algorithm} for each in sets)
        of_it = [forms for forms in forms_of if forms]
        if not of_it:
            continue
        forms = set.intersection(*of_it) or set.union(*of_it)
        strict = forms.difference(LOOSER)
        forms = strict or {min(forms, key=LOOSER.index)}
        kept |= {Recipe(algorithm, form) for form in forms}
    return tuple(sorted(kept))
