"""Incidents: what opens one, what ends it, and that a source and a destination of one name are two places."""

from __future__ import annotations

from suppress.report.drift import Closing
from tests.report.books import Book


def book() -> Book:
    """One person, opted out, with a destination that was told."""
    kept = Book()
    kept.opt_out("ann")
    kept.destination("crm")
    kept.told("crm")
    return kept


def test_a_complete_patrol_ends_what_it_no_longer_lists() -> None:
    kept = book()
    seq = kept.strayed("ann")
    kept.patrol(drift=[seq])
    kept.patrol()
    (incident,) = kept.facts().drift

    assert incident.seq == seq
    assert incident.patrol
    assert incident.closing is Closing.PATROL


def test_a_patrol_that_was_cut_short_ends_nothing() -> None:
    """It has read only part of the destination."""
    kept = book()
    kept.strayed("ann")
    kept.patrol(complete=False)
    (incident,) = kept.facts().drift

    assert incident.closed is None


def test_a_later_patrol_opens_an_ended_incident_again() -> None:
    kept = book()
    seq = kept.strayed("ann")
    kept.patrol(drift=[seq])
    kept.patrol()
    kept.patrol(drift=[seq])
    (incident,) = kept.facts().drift

    assert incident.closed is None
    assert incident.reopened == 1


def test_a_census_of_a_source_ends_nothing_at_a_destination_of_its_name() -> None:
    """Nor does a patrol end what a sync found: the two are read apart."""
    kept = book()
    at_source = kept.drift("ann", source="crm")
    at_destination = kept.strayed("ann", destination="crm")
    kept.sync(source="crm")
    kept.patrol("crm", drift=[at_destination])
    closed = {incident.seq: incident.closed is not None for incident in kept.facts().drift}

    assert closed == {at_source: True, at_destination: False}


def test_a_patrol_that_was_struck_out_ends_nothing() -> None:
    kept = book()
    kept.strayed("ann")
    kept.corrected(kept.patrol())
    (incident,) = kept.facts().drift

    assert incident.closed is None


def test_the_next_step_is_said_for_the_place() -> None:
    """A source is mended by hand, a destination by an export."""
    kept = book()
    kept.drift("ann")
    kept.patrol(drift=[kept.strayed("ann")])
    said = {point.says: point.next_step for point in kept.facts().verdict.points}

    assert "suppress sync --full" in said["1 suppressed person is mailable at a source again."]
    assert "suppress patrol" in said["1 suppressed person is mailable at a destination again."]
