"""The whole corpus of bad input: enumerated files, files drawn by Hypothesis, and hostile names."""

from collections.abc import Iterator

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from benchmarks.reliability import damage
from benchmarks.reliability.case import Case
from benchmarks.reliability.containers import moving_pictures, wrong_endings
from benchmarks.reliability.odd_files import odd_files
from benchmarks.reliability.sizes import bombs, resized, thin_photos
from benchmarks.reliability.sound import Sound, sound_photos

DRAWN = {
    damage.flipped: 1200,
    damage.numbers_set: 500,
    damage.rearranged: 400,
    damage.spliced: 300,
    damage.exif_spoilt: 300,
    damage.profile_spoilt: 300,
}
"""How many files of each kind Hypothesis draws for a full run: three thousand."""

HOSTILE_NAMES = [
    "..png",
    "...jpg.png",
    "....png",
    ".hidden.png",
    "-o.png",
    "--help.png",
    "--checkpoint=x.png",
    "~root.png",
    "$(touch owned).png",
    "`touch owned`.png",
    "; rm -rf ..png",
    "a|b>c<d&e.png",
    "%2e%2e%2fetc%2fpasswd.png",
    "..\\..\\windows\\win.ini.png",
    "C:\\photo.png",
    "file:photo.png",
    "con.png",
    "nul.jpg.png",
    "%s%n%x{0}{name}.png",
    "<b onmouseover=alert(1)>.png",
    '"><img src=x onerror=alert(1)>.png',
    "&lt;b&gt;.png",
    "'; DROP TABLE photos; --.png",
    "=HYPERLINK(1).png",
    "@SUM(1).png",
    "new\nline.png",
    "carriage\rreturn.png",
    "tab\tbell\a.png",
    "\x1b[31mred\x1b]0;title\a.png",
    "del\x7f.png",
    "c1\x9b31m.png",
    "right\u202egnp.exe.png",
    "zero\u200bwidth\ufeff.png",
    "line\u2028separator.png",
    "日本語 ελληνικά עברית 🌧.png",
    "e\u0301combined.png",
    " leading and trailing .png",
    "dot at the end.png.",
    "no ending",
    ".png",
    "UPPER.PNG",
    "two.png.png",
    "x" * 251 + ".png",
    "é" * 125 + ".png",
    "\udcff\udcfenot utf-8.png",
    "lone\udc80.png",
]
"""Names that a file system takes; those with a lone surrogate stand for bytes that are no UTF-8."""


def drawn(strategy: st.SearchStrategy[Case], count: int, number: int) -> list[Case]:
    """Return so many different files as Hypothesis draws them with this seed."""
    found: dict[bytes, Case] = {}

    @seed(number)
    @settings(
        max_examples=3 * count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(case: Case) -> None:
        if len(found) < count:
            found.setdefault(case.data, case)

    collect()
    return list(found.values())


def badly_named(sounds: list[Sound]) -> Iterator[Case]:
    """Yield a sound photo and a damaged one under every hostile name."""
    photo = next(sound for sound in sounds if sound.ending == ".png")
    for name in HOSTILE_NAMES:
        yield Case("PNG", "hostile name", name, photo.data)
        yield Case("PNG", "hostile name", name, photo.data[: len(photo.data) // 2])


def corpus(share: float = 1.0, number: int = 0) -> list[Case]:
    """Return the corpus in an order that is always the same.

    Args:
        share: of the files that are drawn, and of each list, 0 to 1; every mutation keeps some.
        number: the seed.
    """
    sounds = sound_photos()
    lists: list[list[Case]] = [
        [Case(sound.file_format, "none", f"sound {sound.kind}{sound.ending}", sound.data) for sound in sounds],
        list(damage.cut_off(sounds)),
        list(resized(sounds)),
        list(thin_photos()),
        list(bombs()),
        list(moving_pictures()),
        list(odd_files(sounds)),
        list(wrong_endings(sounds)),
        list(badly_named(sounds)),
    ]
    for index, (strategy, count) in enumerate(DRAWN.items()):
        lists.append(drawn(strategy(sounds), max(1, round(share * count)), number + index))
    step = max(1, round(1 / share))
    return [case for cases in lists[: -len(DRAWN)] for case in cases[::step]] + [
        case for cases in lists[-len(DRAWN) :] for case in cases
    ]
