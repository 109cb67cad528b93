"""The short version of `make fuzz`: every bad file ends in a result or in one clear error, at every door."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.reliability import corpus, damage
from benchmarks.reliability.case import Case
from benchmarks.reliability.containers import moving_pictures, wrong_endings
from benchmarks.reliability.door import DOORS, hand_in
from benchmarks.reliability.fuzz import counts
from benchmarks.reliability.model import write_tiny_model
from benchmarks.reliability.odd_files import odd_files
from benchmarks.reliability.outcome import Outcome, judged
from benchmarks.reliability.sizes import resized
from benchmarks.reliability.sound import Sound, sound_photos
from opir.errors import ImageError
from opir.photo import load_photo

SOUNDS = sound_photos()


@pytest.fixture(autouse=True)
def _pillow_may_warn() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("weights"))


def check(case: Case, folder: Path) -> bool:
    """Read a file; whether it is a photo. An error has to be one line that can be shown."""
    path = folder / case.name
    path.write_bytes(case.data)
    try:
        photo = load_photo(path)
    except ImageError as error:
        told = str(error)
    else:
        told = ""
    path.unlink()
    if told:
        assert judged(0, told, 0, 0).ending == "refused", told
        return False
    assert 0 <= float(photo.rgb.min()) <= float(photo.rgb.max()) <= 1, case.name
    return True


def test_the_sound_photos_are_sound_but_for_the_gif(tmp_path: Path) -> None:
    refused = [
        sound.file_format
        for sound in SOUNDS
        if not check(Case(sound.file_format, "none", f"photo{sound.ending}", sound.data), tmp_path)
    ]
    assert refused == ["GIF"]


@settings(max_examples=150, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.one_of(*(strategy(SOUNDS) for strategy in corpus.DRAWN)))
def test_what_hypothesis_draws(tmp_path_factory: pytest.TempPathFactory, case: Case) -> None:
    check(case, tmp_path_factory.getbasetemp())


def test_odd_layouts_chunks_headers_and_ends(tmp_path: Path) -> None:
    cases = [*odd_files(SOUNDS)]
    assert {case.mutation for case in cases} == {
        *("odd layout", "odd chunk", "odd header", "data behind", "end missing"),
    }
    read = {
        case.name: check(case, tmp_path) for case in cases if case.mutation.startswith("odd") or len(case.name) % 3
    }
    assert all(read[case.name] for case in cases if case.mutation == "odd layout")
    assert not read["HDR.png"]
    assert read["long text.png"]


def some_cases() -> list[Case]:
    """A part of what is enumerated: cheap, and of every kind."""
    listed = [*damage.cut_off(SOUNDS)][::9] + [*resized(SOUNDS)][::3] + [*wrong_endings(SOUNDS)][::7]
    return listed + [case for case in moving_pictures() if not case.name.startswith("100 frames")]


def test_cut_off_resized_moving_and_misnamed_files(tmp_path: Path) -> None:
    cases = some_cases()
    assert {case.mutation for case in cases} == {"cut off", "zero size", "huge size", "animated", "wrong ending"}
    assert [case.name for case in cases if check(case, tmp_path)]


@pytest.mark.parametrize("mutation", ["corrupt EXIF", "corrupt profile"])
def test_damaged_metadata_does_not_cost_the_photo(mutation: str, tmp_path: Path) -> None:
    strategy = damage.exif_spoilt if mutation == "corrupt EXIF" else damage.profile_spoilt
    photos = [sound for sound in SOUNDS if sound.file_format in ("JPEG", "PNG")]
    drawn = corpus.drawn(strategy(photos), 12, 5)
    assert {case.mutation for case in drawn} == {mutation}
    assert [case.name for case in drawn if not check(case, tmp_path)] == []


def cases_for_doors() -> list[Case]:
    """A few files for the ways through a door: sound, damaged, refused by the header, hostile names."""
    photo = next(sound for sound in SOUNDS if sound.ending == ".png")
    heic = next(sound for sound in SOUNDS if sound.ending == ".heic")
    names = ["\x1b[31mred\a.png", "new\nline.png", "<b onmouseover=alert(1)>.png", "-o.png", "🌧" * 62 + ".png"]
    return [
        Case("PNG", "none", "sound.png", photo.data),
        Case("HEIC", "none", "sound.heic", heic.data),
        Case("PNG", "cut off", "cut.png", photo.data[:900]),
        Case("other", "wrong ending", "text.jpg", b"These are not the pixels you are looking for."),
        Case("other", "zero size", "empty.tif", b""),
        *(Case("PNG", "hostile name", name, photo.data) for name in [*names, "lone\udc80.png"]),
    ]


@pytest.mark.parametrize("door", DOORS)
def test_every_door_ends_in_a_result_or_one_clear_error(
    door: str, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads, results = tmp_path / "uploads", tmp_path / "results"
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(uploads))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    for folder in (uploads, results, tmp_path / "temporary"):
        folder.mkdir()
    opened = DOORS[door](str(checkpoint), results)
    endings = []
    for index, case in enumerate(cases_for_doors()):
        path = tmp_path / f"{index}" / case.name
        path.parent.mkdir()
        path.write_bytes(case.data)
        outcome = hand_in(opened, index, path, results)
        if outcome is not None:
            assert outcome.ending != "broken", f"{case.name!a}: {outcome.text}"
            endings.append(outcome.ending)
    assert endings[:2] == ["result", "result"]
    assert [path for path in (*uploads.rglob("*"), *results.iterdir()) if path.is_file()] == []


def test_a_line_with_control_characters_or_a_traceback_counts_as_broken() -> None:
    assert judged(0, "photo.png: expected a JPEG", 0, 0).ending == "refused"
    for text in ("", "two\nlines of error", "\x1b[31mphoto.png is red", "Traceback (most recent call last)"):
        assert judged(0, text, 0, 0).ending == "broken"


def test_the_corpus_is_the_same_each_time_and_has_every_kind() -> None:
    sounds: list[Sound] = sound_photos()
    assert [sound.data for sound in sounds] == [sound.data for sound in SOUNDS]
    for strategy in corpus.DRAWN:
        first, again = (corpus.drawn(strategy(sounds), 5, 3) for _ in range(2))
        assert first == again
        assert len({case.data for case in first}) == 5
    assert all(0 < len(name.encode(errors="surrogateescape")) <= 255 for name in corpus.HOSTILE_NAMES)


def test_counts_tell_results_and_errors_by_format_mutation_and_door() -> None:
    from benchmarks.reliability.fuzz import DoorReport

    cases = [Case("PNG", "none", "a.png", b"a"), Case("PNG", "cut off", "b.png", b"b")]
    outcomes = [Outcome(0, "result", "", 0.5, 10), Outcome(1, "refused", "b.png: expected", 0.25, 12)]
    report = DoorReport("page", outcomes, [], 1.0)
    rows = {row["mutation"]: row["doors"]["page"] for row in counts(cases, [report])}
    assert rows == {
        "none": {"result": 1, "refused": 0, "broken": 0},
        "cut off": {"result": 0, "refused": 1, "broken": 0},
    }
    figures = report.summary(cases)
    assert (figures["slowest_file"], figures["peak_mb"], figures["result"], figures["refused"]) == (
        "'a.png'",
        12,
        1,
        1,
    )
