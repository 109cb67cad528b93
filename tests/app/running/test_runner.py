"""Stopping jobs: a newer one of the same name takes the place of an older one."""

from types import SimpleNamespace

import pytest
from gradio.context import LocalContext

from app.running.runner import Stops
from app.server.presence import Cancelled, current_visit


def test_a_job_runs_until_it_is_stopped() -> None:
    stops = Stops()
    stops.begin("ann photo")
    with stops.watching("ann photo") as check:
        check()
        stops.stop("ben photo")
        check()
        stops.stop("ann photo")
        with pytest.raises(Cancelled):
            check()


def test_a_newer_job_stops_the_older_and_outlives_it() -> None:
    stops = Stops()
    stops.begin("ann photo")
    with stops.watching("ann photo") as older:
        stops.begin("ann photo")
        with pytest.raises(Cancelled):
            older()
    with stops.watching("ann photo") as newer:
        newer()
        stops.stop("ann photo")
        with pytest.raises(Cancelled):
            newer()


def test_a_job_that_nobody_began_can_be_stopped_too_and_is_forgotten() -> None:
    stops = Stops()
    with stops.watching("ann photo") as check:
        stops.stop("ann photo")
        with pytest.raises(Cancelled):
            check()
    with stops.watching("ann photo") as check:
        check()


def test_a_visit_lasts_until_its_tab_is_closed_or_its_job_is_cancelled() -> None:
    event = SimpleNamespace(
        _id="0a1b2c3d4e", alive=True, fn=SimpleNamespace(api_visibility="public", api_name="restore")
    )
    queue = SimpleNamespace(event_ids_to_events={event._id: event})
    assert not current_visit().is_over(), "there is no server"
    blocks = LocalContext.blocks.set(SimpleNamespace(_queue=queue))  # type: ignore[arg-type]
    event_id = LocalContext.event_id.set(event._id)
    try:
        visit = current_visit()
        assert (visit.door, visit.request, visit.is_over()) == ("/restore", "0a1b2c3d", False)
        event.alive = False
        assert visit.is_over(), "the tab was closed"
        event.alive = True
        del queue.event_ids_to_events[event._id]
        assert visit.is_over(), "it was cancelled"
        assert current_visit().is_over(), "it was cancelled before it began"
    finally:
        LocalContext.event_id.reset(event_id)
        LocalContext.blocks.reset(blocks)
