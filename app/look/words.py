"""Names and fixed sentences of the page; those that hold figures are made by `sentences`."""

from opir.photo import LISTED
from opir.tasks import AUTO, Task

TITLE = "OPIR"
PAGE_TITLE = "OPIR: clear weather for your photos"
FOR_RESEARCHERS = "For researchers:"
TAGLINE = "Takes rain, snow and haze out of a photo, and shows where not to trust the result."

PHOTO = "Your photo"
DROP_ONE = "Drop a photo here, or choose one"
DROP_SEVERAL = "Drop photos here, or choose some"
EXAMPLES = "Or try one of these"
EXAMPLES_NOTE = (
    "None of these was trained on. Rain, snow and most of the haze are drawn; one photo shows haze that is missed."
)
WEATHER = "Weather in the photo"
STRENGTH = "Strength"
STRENGTH_INFO = "0 is the photo as it came."
DOWNLOAD = "Download full size"
DOWNLOAD_WAITING = "Preparing the file…"

TAB_CLEAN = "Clean a photo"
TAB_INSIDE = "Look inside"

QUALITY = "Quality"
FULL = "Full"
FAST = "Fast"
THOROUGH = "Thorough"
QUALITY_COSTS = {FAST: 0.5, FULL: 1.0, THOROUGH: 4.0}
"""About how long each takes, in times of the full one."""
QUALITY_INFO = "Fast takes about half as long, Thorough four times."
PROTECT = "Leave doubtful areas alone"
PROTECT_INFO = "Keeps the photo where the model was unsure."
PROTECTED_BY_ITSELF = (
    "Switched on for you, as it is in doubt whether there is weather. Switch it off to see all of it."
)
IN_DOUBT = "That is in doubt, so doubtful areas are left alone at first."
CANCEL = "Cancel"
CANCELLED = "Cancelled. To start again, drop the photo once more or change a setting."
CANCELLED_BEFORE = "Cancelled: this is the result from before."

TAB_RESULT = "Result"
TAB_UNCERTAINTY = "Can I trust it?"
TAB_STAGES = "Stages"
TAB_WEATHER = "Weather"

BEFORE_AFTER = "Drag the handle; click for 100 %"
DOUBT = "Result and doubt: drag the handle"
STAGE_1 = "After stage 1"
STAGE_2 = "After stage 2"
CHANGE = "What stage 2 changed, 8 times as strong"
TAKEN = "Taken away"
SPREAD = "Where the four ways disagree"
RECOGNISED = "Recognised weather"
NO_MAP = "There is no weather map for these weights; python -m app.drawing.weather_map makes one."
YOUR_PHOTO = "your photo"
EXAMPLE = "Example: "
AFTER_STAGE_1 = "after stage 1"
LEGEND_STAGE_1 = "small: the same photos after stage 1"
LEGEND_PROTOTYPE = "what the model learned each weather to be"
LEGEND_EXAMPLE = "an example: point at it"
LEGEND_OWN = "your photo"
MOST_ALIKE = "To the model, your photo is most like these:"
LEVEL = "Size at which it worked"
LEVEL_INFO = "The one that changed this pixel most comes first."
INSIDE_PHOTO = "Click anywhere on the result"
INSIDE_NOTE = "Click a spot on the result to see the operator that the model made for that one pixel."
INSIDE_LEAD = "Here you see how the model made each single pixel of a result."
CHOOSE_PHOTO = "Choose a photo first"
NUMBERS = "The same as JSON"

WELCOME = "Drop or paste a photo, or pick one of the examples."
NO_PHOTO = "Drop a photo first, or pick one of the examples."
FILE_TOO_LARGE = "NAME is too large to send: make it smaller, or save it as a JPEG."
CLOSE = "Close"
SEVERAL_DROPPED = "You dropped COUNT photos, and this takes one at a time."
OPEN_MANY = "Restore them all in Many photos"
DROPPED_FROM_ELSEWHERE = (
    "A picture can not be dragged here from another page: save it first, or copy it there and paste it here."
)
NOTHING_DROPPED = "There was no photo in what you dropped: drop a file, or choose one."
LEFT_OUT = "Left out, as they are no photos or too large to send: NAMES."

NOT_TAKEN = "The server did not take the photo: wait a minute, then choose it once more or change a setting."
RESTORING = "Restoring your photo …"
NO_RESULT = "Restore a photo first."
FORGOTTEN = "This result had to make room for newer ones: restore the photo again."
ERROR = "That did not work"
OUT_OF_MEMORY = "There is not enough memory for a photo of this size: make it smaller first."
UNEXPECTED = "This photo could not be restored, and the reason is in the log of the page. Try another one."

KEPT_DATE = "date"
KEPT_CAMERA = "camera"
KEPT_PROFILE = "colour profile"
KEPT_ALPHA = "transparency"
KEPT_DEPTH = "colour depth"
REMOVED_POSITION = "location"

BEFORE = "Your photo"
AFTER = "Result"
LOOK_CLOSER = "Look at 100 %"
AT_100 = "Before and after at 100 %"
OUTLINE_DOUBT = "Outline what is in doubt"
CLOSER_PANES = "Your photo and the result at the photo's own pixels: drag, or use the arrow keys"
CLOSER_WHERE = "Drag, or use the arrow keys. The photo has WIDE × HIGH pixels."
NOTHING_DOUBTFUL = "Nothing here is in doubt."
FETCHING = "Fetching this part …"
KERNEL = "filter"
MODULATION = "× weather"
MODULATED = "= used"
GAIN = "sum"
STENCIL = "The pixel's surroundings, with a square around each sample that is used"
AS_RESTORED = "As restored"
WHAT_IF = "What if the weather were …"
WHAT_IF_NOTE = "The result's colour, and the gain of its last stage, if the model were told so."
COLOURS = ("red", "green", "blue")
ALL_COLOURS = ("all colours",)
GRID_ENDS = ("−1 (weather 0)", "+1 (weather 2)")

TAB_MANY = "Many photos"
PHOTOS = "Your photos"
START = "Restore all"
ZIP = "Download all (zip)"
CSV = "Download the list (CSV)"
MANY_NOTE = (
    "Drop several photos and press Restore all. A photo that can not be read is named and skipped. "
    "Click on a photo's row to see it before and after."
)
MANY_RESULTS = "Results"
MANY_COLUMNS = ("Photo", "Status", "Weather", "Time", "In doubt")
MANY_COMPARED = "Before and after: drag the handle"
NO_PAIR_TO_COMPARE = "This photo is not here any more: restore it again."
NO_PHOTOS = "Drop some photos first."
ADD_PHOTOS = "Add photos"
ADD_FOLDER = "Add a whole folder"
NO_PHOTOS_IN_FOLDER = f"There are no photos in that folder: choose one with {LISTED} files."
NO_PHOTOS_AMONG = "There is no photo among these files that is small enough to send: choose other ones."
BROKEN_OFF = "The batch broke off before this photo: restore it again."
WAITING = "waiting"
RUNNING = "restoring …"
DONE = "done"
FAILED = "skipped"
CANCELLED_ONE = "cancelled"
STATUS_CLASSES = {WAITING: "quiet", RUNNING: "running", DONE: "done", FAILED: "failed", CANCELLED_ONE: "quiet"}

TAB_MEASURE = "Measure"
DEGRADED = "Degraded photo"
CLEAN = "The same photo, clean"
MEASURE = "Measure"
MEASURE_NOTE = "Drop a photo with weather and the same photo without it, of the same size, and press Measure."
NO_PAIR = "Drop both photos first: the degraded one and the clean one."
PROTOCOL = (
    "From pictures rounded to 8 bits. Y is the luma of BT.601 in studio range, usual for rain. "
    "SSIM: Gaussian window of 11 × 11 pixels, σ 1.5."
)
SCORES = "Scores"
SCORE_HEADS = ("Score", "Before", "After", "Change")
BASELINES = {"dark channel prior": "Dark channel prior", "guided filter": "Guided filter"}
ERROR_MAP = "What is still wrong"
CURVE = "Error of what is left when the least certain blocks are left out"
CURVE_KEPT = "kept, % of the blocks"
CURVE_ERROR = "mean error, grey values"
CURVE_BY = "order"
EQUAL = "equal"
BY_UNCERTAINTY = "by uncertainty"
BY_ERROR = "by the true error"
BY_CHANCE = "by chance"

TAB_ABOUT = "About and API"
WEIGHTS = "The weights behind this page"
ABOUT_NAME = "Name"
ABOUT_HASH = "SHA-256"
ABOUT_SIZE = "Parameters"
ABOUT_STEPS = "Training steps"
ABOUT_DATA = "Trained on"
ABOUT_COMMIT = "Made by commit"
ABOUT_LIMITS = "What they can not do"
ABOUT_LICENCE = "Licence"
LIMITS = (
    "They learned from weather that was drawn, so real weather comes out less well.",
    "Dense fog, drops on the lens, rain at night and flakes close to the lens are beyond them.",
    "What a streak or a flake hides wholly is guessed, and so is what is lost behind haze.",
    "What only looks like weather, such as stars or a pale wall, may be changed: look at Can I trust it?",
    "A result is no evidence, and nothing to measure by.",
)
LICENCE = "Apache-2.0, code and weights; the training photographs have their own terms."
API = "The same without the page"
API_NOTE = (
    "street.jpg stands for your photo. /restore takes uploaded files only, 30 MB at most; /restore_thoroughly takes "
    "the same, and four times as long. Both also return what each size of the photo showed and did."
)
SNIPPET_PYTHON = "Python"
SNIPPET_COMMANDS = "Command line"
SNIPPET_CLIENT = "Python, through this page"
SNIPPET_CURL = "curl, through this page"

_ENDPOINT = (
    "weather is auto, rain, snow, haze or clean; strength is 0 (the photo) to 1; levels is auto, or the sizes that "
    "work, such as 0,2: 0 is the photo's own, n the mean of 2^n x 2^n pixels. "
    "Returns the full-size result, named after the photo, and a list of what each level saw and did, coarse to fine."
)
ENDPOINTS = {
    FULL: f"Restore one photo. {_ENDPOINT}",
    THOROUGH: f"Restore one photo and mirrored copies of it, and average them, in four times the time. {_ENDPOINT}",
}

WEATHER_CHOICES = [
    ("Auto", AUTO),
    ("Rain", Task.RAIN.label),
    ("Snow", Task.SNOW.label),
    ("Haze", Task.HAZE.label),
    ("Nothing", Task.CLEAN.label),
]
WEATHER_NAMES = {Task.RAIN: "Rain", Task.SNOW: "Snow", Task.HAZE: "Haze", Task.CLEAN: "Clear"}
