"""The queue of bulk activities, and the routes that fill and poll it.

An activity takes effect when it completes: after `activity_polls` polls, or `activity_seconds` after it was
queued. `completed` with counters other than zero is a partial success, as on the real platform.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

from suppress.platforms.constant_contact.simulator import bulk, exports, paging
from suppress.platforms.constant_contact.simulator.fields import Fields
from suppress.platforms.constant_contact.simulator.http import (
    Refused,
    Request,
    Response,
    answer,
    errors,
    invalid,
    not_found,
)
from suppress.platforms.constant_contact.simulator.scenario import Switches
from suppress.platforms.constant_contact.simulator.shape import Shape, instant, present

if TYPE_CHECKING:
    from suppress.platforms.constant_contact.simulator.backend import Backend

LISTED = timedelta(days=10)
"""`GET /activities` lists the last ten days."""
STATES = ("processing", "completed", "cancelled", "failed", "timed_out")

Effect: TypeAlias = "Callable[[], bulk.Done]"


@dataclass(slots=True)
class Activity:
    """One bulk job. `done` is what it did, None until it completes."""

    activity_id: str
    created_at: datetime
    effect: Effect
    status: Shape
    """What its status shows until it is completed."""
    file_name: str | None = None
    exports: bool = False
    polls: int = 0
    completed_at: datetime | None = None
    done: bulk.Done | None = None

    @property
    def state(self) -> str:
        """`initialized`, then `processing` from the first poll, then `completed`."""
        if self.done is not None:
            return "completed"
        return "processing" if self.polls else "initialized"

    def complete(self, at: datetime) -> None:
        """Let it take effect."""
        self.done = self.effect()
        self.completed_at = at

    def shape(self, switches: Switches) -> Shape:
        """The activity as JSON. An export links to its file from the start."""
        self_href = {"href": f"/v3/activities/{self.activity_id}"}
        links: Shape = {"self": self_href}
        if self.exports:
            links["results"] = {"href": f"/v3/contact_exports/{self.activity_id}"}
        stamp = switches.timestamps
        started = self.created_at if self.polls or self.done else None
        return present(
            activity_id=self.activity_id,
            state=self.state,
            started_at=None if started is None else instant(started, stamp),
            completed_at=None if self.completed_at is None else instant(self.completed_at, stamp),
            created_at=instant(self.created_at, stamp),
            updated_at=instant(self.completed_at or self.created_at, stamp),
            source_file_name=self.file_name,
            percent_done={"initialized": 1, "processing": 50, "completed": 100}[self.state],
            activity_errors=[] if self.done is None else list(self.done.errors),
            status=self.status if self.done is None else self.done.status,
            _links=links,
        )


@dataclass(slots=True)
class Activities:
    """Every activity of the account, oldest first."""

    switches: Switches
    most: int
    _all: dict[str, Activity] = field(default_factory=dict)

    def queue(self, activity: Activity) -> Activity:
        """Take one in.

        Raises:
            Refused: 429 while too many are unfinished.
        """
        if sum(one.done is None for one in self._all.values()) >= self.most:
            message = f"You exceeded {self.most:,} queued activities"
            raise Refused(errors(429, "activities.api.too_many_requests", message))
        self._all[activity.activity_id] = activity
        if self.switches.activity_polls == 0:
            activity.complete(activity.created_at)
        return activity

    def settle(self, now: datetime) -> None:
        """Complete what has been queued for long enough."""
        for activity in self._all.values():
            waited = (now - activity.created_at).total_seconds()
            if activity.done is None and waited >= self.switches.activity_seconds:
                activity.complete(now)

    def poll(self, activity_id: str, now: datetime) -> Activity | None:
        """One activity, one poll further."""
        activity = self._all.get(activity_id)
        if activity is not None and activity.done is None:
            activity.polls += 1
            if activity.polls >= self.switches.activity_polls:
                activity.complete(now)
        return activity

    def file(self, activity_id: str) -> str | None:
        """What an export wrote, None before it has."""
        activity = self._all.get(activity_id)
        return None if activity is None or activity.done is None else activity.done.file

    def since(self, at: datetime) -> list[Activity]:
        """Those created after an instant, newest first."""
        return [one for one in reversed(self._all.values()) if one.created_at > at]


def import_json(backend: Backend, request: Request, _: Mapping[str, str]) -> Response:
    """`POST /activities/contacts_json_import`."""
    body = Fields.of(request)
    lists = _target_lists(backend, body, "list_ids")
    rows = bulk.rows_of_json(body)
    sms = body.one_of("sms_permission_to_send", ("explicit", "not_set"))
    return _queued(
        backend,
        lambda: bulk.import_rows(backend, rows, lists, sms=sms or "not_set", longest=bulk.JSON_ADDRESS),
        {"items_total_count": len(rows), "person_count": len(rows)},
    )


def import_file(backend: Backend, request: Request, _: Mapping[str, str]) -> Response:
    """`POST /activities/contacts_file_import`: multipart, never JSON."""
    upload = bulk.upload_of(request)
    lists = backend.known_lists(tuple(one.strip() for one in upload.list_ids.split(",")))
    rows = bulk.rows_of_csv(upload.text)
    return _queued(
        backend,
        lambda: bulk.import_rows(backend, rows, lists, sms=upload.sms, heading=1),
        {"items_total_count": len(rows) + 1, "person_count": len(rows)},
        file_name=upload.file_name,
    )


def delete(backend: Backend, request: Request, _: Mapping[str, str]) -> Response:
    """`POST /activities/contact_delete`: by contact ids or by lists, not both."""
    body = Fields.of(request)
    contact_ids, list_ids = body.ids("contact_ids", 500), body.ids("list_ids", 50)
    if bool(contact_ids) == bool(list_ids):
        raise invalid("Exactly one of contact_ids and list_ids is required")
    chosen = bulk.Chosen(contact_ids=contact_ids, list_ids=list_ids)
    total = {"items_total_count": len(bulk.contacts_of(backend, chosen))}
    if list_ids:
        total["list_count"] = len(list_ids)
    return _queued(backend, lambda: bulk.delete(backend, chosen, total), dict(total))


def add_to_lists(backend: Backend, request: Request, _: Mapping[str, str]) -> Response:
    """`POST /activities/add_list_memberships`: revives deleted contacts, never an opt-out."""
    return _memberships(backend, request, joining=True)


def remove_from_lists(backend: Backend, request: Request, _: Mapping[str, str]) -> Response:
    """`POST /activities/remove_list_memberships`: leaving a list is no opt-out."""
    return _memberships(backend, request, joining=False)


def _memberships(backend: Backend, request: Request, *, joining: bool) -> Response:
    body = Fields.of(request)
    lists = _target_lists(backend, body, "list_ids")
    chosen = bulk.chosen_of(body)
    total: Shape = {
        "items_total_count": len(bulk.contacts_of(backend, chosen)),
        "list_count": len(lists),
    }
    return _queued(
        backend, lambda: bulk.change_lists(backend, chosen, lists, total, joining=joining), dict(total)
    )


def export(backend: Backend, request: Request, _: Mapping[str, str]) -> Response:
    """`POST /activities/contact_exports`."""
    wanted = exports.wanted_of(Fields.of(request))
    total: Shape = {"items_total_count": 0, "items_completed_count": 0}
    return _queued(backend, lambda: exports.export(backend, wanted), total, exported=True)


def listing(backend: Backend, request: Request, _: Mapping[str, str]) -> Response:
    """`GET /activities`: the last ten days, newest first. Listing is not polling."""
    state = dict(paging.restored(request)).get("state")
    if state not in {None, *STATES}:
        raise invalid("state does not have a valid value")
    recent = backend.activities.since(backend.clock.now() - LISTED)
    rows = [one.shape(backend.switches) for one in recent if state in {None, one.state}]
    shown = paging.cut(
        request, rows, name="activities", default=50, most=500, last_page=backend.switches.last_page
    )
    return answer(200, shown)


def one(backend: Backend, _: Request, path: Mapping[str, str]) -> Response:
    """`GET /activities/{activity_id}`: each poll brings it further."""
    activity = backend.activities.poll(path["activity_id"], backend.clock.now())
    if activity is None:
        raise not_found("The activity was not found.")
    return answer(200, activity.shape(backend.switches))


def exported_file(backend: Backend, _: Request, path: Mapping[str, str]) -> Response:
    """`GET /contact_exports/{file_export_id}`: the CSV file, 404 until it is there."""
    text = backend.activities.file(path["file_export_id"])
    if text is None:
        raise not_found("The export was not found.")
    return Response(200, text.encode(), "text/csv; charset=utf-8")


def _target_lists(backend: Backend, body: Fields, name: str) -> tuple[str, ...]:
    lists = body.ids(name, 50)
    if not lists:
        raise invalid(f"{name} is required")
    return backend.known_lists(lists)


def _queued(
    backend: Backend,
    effect: Effect,
    status: Shape,
    *,
    file_name: str | None = None,
    exported: bool = False,
) -> Response:
    activity = Activity(
        activity_id=str(uuid.uuid4()),
        created_at=backend.clock.now(),
        effect=effect,
        status=status,
        file_name=file_name,
        exports=exported,
    )
    return answer(201, backend.activities.queue(activity).shape(backend.switches))
