"""Stopping jobs: a newer one of the same name takes the place of an older one."""

import pytest

from app.errors import Cancelled
from app.running import Stops


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
