"""What explains the pictures on the page: a line for everybody, and one for the researcher."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Note:
    """Two ways to say what a picture shows."""

    plain: str
    researcher: str = ""


UNCERTAINTY = Note(
    "How hard each spot was to restore. Look twice where it is bright: detail there may be lost or made up.",
    "UM of stage 1, the mean of |K| over taps and colours times 9 (Eq. 11), turned into the error that nine pixels "
    "of ten stay below on photos like the calibration's; the same fixed range of colours for every photo. Without a "
    "calibration, UM itself.",
)
STAGES = Note(
    "The photo is cleaned twice: the second time looks at the first result and at how sure it was.",
    "Ĵ₁ and Ĵ₂ (Eq. 12 and 13); stage 2 predicts its operators from Ĵ₁·UM and filters Ĵ₁.",
)
CHANGE = Note(
    "Grey where the second time changed nothing; brighter or darker where it did.",
    "0.5 + 8·(Ĵ₂ - Ĵ₁) for each colour.",
)
TAKEN = Note(
    "Weather is taken away at the size at which it is: broad streaks in a small copy of the photo, fine ones at full "
    "size. Brighter than grey was taken away, darker was added.",
    "0.5 + 2·(x_n - Ĵ_n) of each level n of the pyramid that worked, coarse to fine.",
)
SPREAD = Note(
    "The photo was restored as it is and mirrored, four times in all. Look twice where it is bright: they disagree.",
    "Standard deviation of the four results, root mean square of the colours, in grey values.",
)
SCALES = Note(
    "Every pixel is filtered at several distances. The first map shows how far that reaches; in the others, bright "
    "means that this distance counts most.",
    "Reach is Σ α·s in pixels; the others are α of each dilation s, a softmax over scales (Eq. 18), last stage.",
)
MAP = Note(
    "Photos that look alike to the model lie close together. The line leads from your photo to where it lies after "
    "stage 1. Point at a ringed dot, or tab to it, to see that example.",
    "t-SNE of the embeddings e_t (Eq. 21); crowded parts are spread along both axes.",
)
MOVE = Note(
    "The arrow keys move by one pixel once you have clicked, and the buttons do from the start. Pin two pixels to "
    "compare them.",
    "The grids are K, m and K̃ = K·m of each stage (Eq. 14, 19 and 21); below them Σ K̃.",
)
ERROR_MAP = Note(
    "Bright in both maps means: the model knew that it did not know.",
    "|result - truth|, mean of the colours, beside UM of stage 1.",
)
CURVE = Note(
    "Blue leaves out what the uncertainty map doubts most, green what is truly worst (no map can do better), grey is "
    "chance.",
    "Sparsification on blocks of 8 × 8 pixels; AUSE is the area between blue and green, 1 at chance.",
)
