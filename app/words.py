"""Every text on the page."""

from opir.tasks import AUTO, Task

TITLE = "OPIR"
PAGE_TITLE = "OPIR: clear weather for your photos"
TAGLINE = "Takes rain, snow and haze out of a photo, and shows where not to trust the result."

PHOTO = "Your photo"
EXAMPLES = "Or try one of these"
WEATHER = "Weather in the photo"
STRENGTH = "Strength"
STRENGTH_INFO = "0 is the photo as it came."
DOWNLOAD = "Download full size"
DOWNLOAD_WAITING = "Preparing the file…"

TAB_RESULT = "Result"
TAB_STAGES = "Stages"
TAB_UNCERTAINTY = "Uncertainty"
TAB_SCALES = "Scales"
TAB_WEATHER = "Weather"
TAB_INSIDE = "Look inside"

BEFORE_AFTER = "Left of the handle your photo, right of it the result"
STAGE_1 = "After stage 1"
STAGE_2 = "After stage 2"
CHANGE = "What stage 2 changed"
STAGES_NOTE = (
    "Stage 1 filters every pixel with an operator of its own. Stage 2 looks at that result and at how "
    "uncertain it is, and corrects it. The third picture is grey where stage 2 changed nothing, and eight "
    "times as strong elsewhere."
)
UNCERTAINTY_NOTE = (
    "How hard each pixel was to restore, on a scale that is the same for every photo. Look twice where it is "
    "bright: detail there may be lost or made up."
)
SCALES_NOTE = (
    "Every pixel is filtered at several distances and the results are blended. The first picture shows how "
    "far the blend reaches; in the others, bright means that this distance counts most."
)
RECOGNISED = "Recognised weather"
MAP_NOTE = (
    "A t-SNE map: photos that look alike to the model lie close together. Dots are known photos, small ones "
    "after stage 1; diamonds are what the model learned of each weather. The large dot is your photo, and "
    "the line leads to where it lies after stage 1."
)
NO_MAP = "There is no weather map for these weights; python -m app.weather_map makes one."
YOUR_PHOTO = "your photo"
AFTER_STAGE_1 = "after stage 1"
INSIDE_PHOTO = "Click anywhere on the photo"
INSIDE_NOTE = "Click a spot on the photo to see the operator that the model made for that one pixel."

WELCOME = "Drop a photo, or pick one of the examples."
NO_PHOTO = "Drop a photo first, or pick one of the examples."
NO_RESULT = "Restore a photo first."
BUSY = "Restoring"
TILES = "tiles"
ERROR = "That did not work"
OUT_OF_MEMORY = "There is not enough memory for a photo of this size: make it smaller first."
UNEXPECTED = "This photo could not be restored, and the reason is in the log of the page. Try another one."

KEPT_DATE = "date"
KEPT_CAMERA = "camera"
KEPT_PROFILE = "colour profile"
KEPT_ALPHA = "transparency"
KEPT_DEPTH = "16 bits"
REMOVED_POSITION = "location"

BEFORE = "Your photo"
KERNEL = "K"
MODULATION = "× m (weather)"
MODULATED = "= K̃ (used)"
COLOURS = ("red", "green", "blue")
ALL_COLOURS = ("all colours",)
GRID_ENDS = ("K −1, m 0", "K +1, m 2")

ENDPOINT = (
    "Restore one photo. weather is auto, rain, snow, haze or clean; strength is 0 (the photo) to 1. "
    "Returns the full-size result, named after the photo."
)

PRIVACY = "Photos stay on the machine that runs this page, for an hour at most."

WEATHER_CHOICES = [
    ("Auto", AUTO),
    ("Rain", Task.RAIN.label),
    ("Snow", Task.SNOW.label),
    ("Haze", Task.HAZE.label),
    ("Nothing", Task.CLEAN.label),
]
WEATHER_NAMES = {Task.RAIN: "Rain", Task.SNOW: "Snow", Task.HAZE: "Haze", Task.CLEAN: "Clear"}

_RECOGNISED = {
    Task.RAIN: "Looks like rain",
    Task.SNOW: "Looks like snow",
    Task.HAZE: "Looks like haze",
    Task.CLEAN: "Looks clear",
}
_GUESSED = {
    Task.RAIN: "Perhaps rain",
    Task.SNOW: "Perhaps snow",
    Task.HAZE: "Perhaps haze",
    Task.CLEAN: "Perhaps clear",
}
_TOLD = {
    Task.RAIN: "Restored as rain",
    Task.SNOW: "Restored as snow",
    Task.HAZE: "Restored as haze",
    Task.CLEAN: "Treated as a clear photo",
}


def weather_sentence(task: Task | None, probability: float, chosen: bool) -> str:
    """Say what the weather is taken for, and how sure the model is where it decided itself."""
    if task is None:
        return "Restored."
    if chosen:
        return f"{_TOLD[task]}, as you chose."
    recognised = (_RECOGNISED if probability >= 0.5 else _GUESSED)[task]
    return f"{recognised} ({probability:.0%})."


def cost_sentence(width: int, height: int, tiles: int, seconds: float) -> str:
    """Say how large the photo is and what the restoration took."""
    megapixels = width * height / 1e6
    size = f"{megapixels:.1f} megapixels" if megapixels >= 0.1 else f"{width} × {height} pixels"
    return f"{size} in {tiles} {'tile' if tiles == 1 else 'tiles'}, {seconds:.1f} s."


def kept_sentence(kept: list[str], removed: list[str]) -> str:
    """Say what of the file's own information the download carries and what it does not; empty for nothing."""
    parts = []
    if kept:
        parts.append(f"{_join(kept)} kept")
    if removed:
        parts.append(f"{_join(removed)} removed")
    text = ", ".join(parts)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def pixel_title(x: int, y: int) -> str:
    """Name a pixel."""
    return f"Pixel {x}, {y}"


def stage_title(number: int, uncertainty: float) -> str:
    """Name a stage's operator and say how uncertain it is."""
    return f"Stage {number} · uncertainty {uncertainty:.2f}"


def gain_sentence(gains: str) -> str:
    """Explain the sum of a kernel."""
    return f"Brightness × {gains}. Weight of each distance:"


def reach(pixels: int) -> str:
    """Say how far a filter looks."""
    return f"{pixels} pixel" if pixels == 1 else f"{pixels} pixels"


def _join(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
