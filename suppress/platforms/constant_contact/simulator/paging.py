"""Cursors: base64 of a query string that holds the limit, the next page's number, and the filters.

That is what the vendor's published samples decode to, so paging is by page number over the account as it is
now: a row that comes or goes during a walk shifts the pages behind it.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from urllib.parse import parse_qsl, urlencode

from suppress.platforms.constant_contact.simulator.http import Request, invalid
from suppress.platforms.constant_contact.simulator.scenario import LastPage
from suppress.platforms.constant_contact.simulator.shape import Shape, links

Pairs = Sequence[tuple[str, str]]


def sealed(pairs: Pairs) -> str:
    """The opaque text of a cursor."""
    return base64.urlsafe_b64encode(urlencode(pairs).encode()).decode()


def opened(text: str) -> list[tuple[str, str]]:
    """What a cursor holds.

    Raises:
        ValueError: It is none of ours.
    """
    try:
        inside = base64.b64decode(text.translate(str.maketrans("-_", "+/")).encode(), validate=True)
        return parse_qsl(inside.decode(), strict_parsing=True)
    except binascii.Error:
        raise ValueError("not base64") from None


def page_number(query: Pairs) -> int:
    """Which page of a walk a request asks for, 1 where no cursor of ours says otherwise."""
    try:
        inside = dict(opened(dict(query).get("cursor", "")))
    except ValueError:
        return 1
    return int(number) if re.fullmatch("[1-9][0-9]{0,8}", number := inside.get("next", "1")) else 1


def number_of(text: str | None, name: str, *, otherwise: int, most: int) -> int:
    """A positive whole number of at most `most`.

    Raises:
        Refused: 400, naming the parameter.
    """
    if text is None:
        return otherwise
    if not re.fullmatch("[0-9]{1,9}", text) or not 1 <= int(text) <= most:
        raise invalid(f"{name} does not have a valid value")
    return int(text)


def restored(request: Request) -> list[tuple[str, str]]:
    """The parameters of a request, those inside its cursor instead of the cursor.

    Raises:
        Refused: 400 for a cursor that is none of ours or that comes with other parameters.
    """
    given = list(request.query)
    if "cursor" not in dict(given):
        return given
    try:
        (_, text), *others = given
        inside = opened(text)
    except ValueError:
        raise invalid("cursor does not have a valid value") from None
    if others or not {"limit", "next"} <= dict(inside).keys():
        raise invalid("cursor does not have a valid value")
    return inside


def cut(
    request: Request, rows: Sequence[Shape], *, name: str, default: int, most: int, last_page: LastPage
) -> Shape:
    """One page of `rows` under `name`, with the link to the next one: reports, campaigns, lists."""
    given = restored(request)
    limit = number_of(dict(given).get("limit"), "limit", otherwise=default, most=most)
    number = number_of(dict(given).get("next"), "cursor", otherwise=1, most=999_999_999)
    end = number * limit
    href = None
    if end < len(rows):
        filters = [(key, value) for key, value in given if key not in {"limit", "next"}]
        text = sealed([("limit", str(limit)), ("next", str(number + 1)), *filters])
        href = f"{request.path}?cursor={text}"
    return {name: list(rows[end - limit : end])} | links(href, last_page)
