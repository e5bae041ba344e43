"""Every call that this plugin may make; the guarded transport refuses any other before it is sent.

Rules kept here:

* A write says `unsubscribed` and nothing else: no other status, no merge field, tag or new address.
* With one audience configured, no call names another one.
* `PUT`, which may create a contact, is on the list only where unknown people are to be created; `DELETE`,
  which archives, only where archived people are brought back and archived again.
* `actions/delete-permanent` never is: an address that it removed can never be imported again, and its opt-out
  is gone with it.
* An operation of a batch is held to what the same call would be held to on its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from suppress.core.suppression import Json
from suppress.plugin.guard import Body, Call
from suppress_mailchimp.settings import LARGEST, Archived, Options, Unknown

UNSUBSCRIBED = "unsubscribed"
PATCH: Mapping[str, Json] = {"status": UNSUBSCRIBED}
"""The body of the only change that is ever made to a member."""
PATCH_TEXT = json.dumps(PATCH)
"""The same inside a batch, where bodies are texts."""
SKIP = "skip_merge_validation"
"""Without it a member is refused where the audience has required fields that the member lacks."""
_HASH = r"[0-9a-f]{32}"
_OPERATION = {"method", "path", "params", "body", "operation_id"}


def calls(options: Options) -> tuple[Call, ...]:
    """The allow-list of one destination."""
    audience = r"[A-Za-z0-9]{1,40}" if options.audience is None else re.escape(options.audience)
    base = re.escape(options.prefix)
    lists, member = rf"{base}/lists/{audience}", rf"{base}/lists/{audience}/members/{_HASH}"
    allowed = [
        Call("GET", rf"{base}/ping"),
        Call("GET", rf"{base}/lists"),
        Call("GET", lists),
        Call("GET", rf"{lists}/members"),
        Call("GET", member),
        Call("GET", rf"{member}/activity-feed"),
        Call("GET", rf"{base}/batches/[A-Za-z0-9_-]{{1,64}}"),
        Call("PATCH", member, refuses=_refuses_patch, query=frozenset({SKIP}), repeatable=True),
        Call(
            "POST",
            lists,
            refuses=_refuses_list,
            query=frozenset({SKIP, "skip_duplicate_check"}),
            repeatable=True,
        ),
        Call("POST", rf"{base}/batches", refuses=_RefusesBatch(audience), repeatable=True),
    ]
    if options.unknown is Unknown.CREATE_SUPPRESSED:
        allowed.append(Call("PUT", member, refuses=_refuses_put, query=frozenset({SKIP}), repeatable=True))
    if options.archived is Archived.STRICT:
        allowed.append(Call("DELETE", member, repeatable=True))
    return tuple(allowed)


def _refuses_patch(body: Body) -> str | None:
    return None if body == PATCH else "a change of a member other than to unsubscribed"


def _refuses_put(body: Body) -> str | None:
    if not isinstance(body, Mapping) or not isinstance(body.get("email_address"), str):
        return "a member without an address"
    said = {key: value for key, value in body.items() if key != "email_address"}
    if said != {"status": UNSUBSCRIBED, "status_if_new": UNSUBSCRIBED}:
        return "a member that is not, whether known or new, unsubscribed"
    return None


def _refuses_list(body: Body) -> str | None:
    if not isinstance(body, Mapping) or body.keys() != {"members", "update_existing"}:
        return "a list call with more than members and update_existing"
    if body["update_existing"] is not True:
        return "a list call that leaves the people who are there as they are"
    members = body["members"]
    if not isinstance(members, (list, tuple)) or not 1 <= len(members) <= LARGEST["list_call_size"]:
        return "a list call for nobody, or for more people than it takes"
    for each in members:
        if not isinstance(each, Mapping) or not isinstance(each.get("email_address"), str):
            return "a list call with a member without an address"
        if {key: value for key, value in each.items() if key != "email_address"} != PATCH:
            return "a list call with a member who is not unsubscribed"
    return None


class _RefusesBatch:
    """Why a batch would make somebody mailable."""

    def __init__(self, audience: str) -> None:
        self._path = re.compile(rf"/lists/{audience}/members/{_HASH}")

    def __call__(self, body: Body) -> str | None:
        if not isinstance(body, Mapping) or body.keys() != {"operations"}:
            return "a batch with more than operations"
        operations = body["operations"]
        if not isinstance(operations, (list, tuple)) or not 1 <= len(operations) <= LARGEST["batch_size"]:
            return "a batch of nothing, or of more operations than it takes"
        return None if all(map(self._is_opt_out, operations)) else "a batch that does not only unsubscribe"

    def _is_opt_out(self, operation: Json) -> bool:
        if not isinstance(operation, Mapping) or operation.keys() != _OPERATION:
            return False
        path = operation["path"]
        return (
            operation["method"] == "PATCH"
            and isinstance(path, str)
            and self._path.fullmatch(path) is not None
            and operation["params"] == {SKIP: "true"}
            # Compared as text: of two keys of one name, readers of JSON differ in which one counts.
            and operation["body"] == PATCH_TEXT
            and isinstance(operation["operation_id"], str)
        )
