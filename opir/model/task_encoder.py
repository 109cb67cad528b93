"""The task encoder: which weather, and how much of it, as one embedding e_t for a whole photo (Eq. 21).

N photos × patches, D embedding size, T tasks.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from opir.config import OPIRConfig
from opir.model.blocks import in_float32, initialise
from opir.ops.colours import in_unit
from opir.ops.padding import reflect_pad
from opir.tasks import Task

PATCH = 64  # pixels at native resolution: streaks and flakes vanish in a thumbnail
MAX_PATCHES_PER_SIDE = 6  # bounds the cost on a large photo
SCENE = 128  # pixels of the smallest copy that still shows the darkest and brightest things of a scene
_CELL = 4  # of them squared are one pixel of the thumbnail: haze, airlight and the layout of the scene
_BY_ROWS_FROM_PIXELS = 4_000_000


def _starts(size: int) -> list[int]:
    count = min(max(1, round(size / PATCH)), MAX_PATCHES_PER_SIDE)
    if count == 1:
        return [(size - PATCH) // 2]
    return [round(index * (size - PATCH) / (count - 1)) for index in range(count)]


def native_patches(photo: Tensor) -> Tensor:
    """Cut a regular grid of at most 6×6 patches of 64×64 pixels at native resolution.

    Args:
        photo: (B, 3, H, W), about [0, 1], or uint8 grey values; smaller photos are first extended by reflection.

    Returns:
        The patches, float32 (B·P, 3, 64, 64), patches of a photo side by side.
    """
    height, width = photo.shape[-2:]
    if height < PATCH or width < PATCH:
        photo = reflect_pad(photo, 0, max(0, PATCH - width), 0, max(0, PATCH - height))
        height, width = photo.shape[-2:]
    patches = [
        in_unit(photo[:, :, top : top + PATCH, left : left + PATCH])
        for top in _starts(height)
        for left in _starts(width)
    ]
    return torch.stack(patches, dim=1).flatten(0, 1)


def small_copy(photo: Tensor) -> Tensor:
    """Average a photo, clamped to [0, 1], to 128×128 pixels: rows of the copy one by one for a large photo."""
    height, width = photo.shape[-2:]
    if height * width < _BY_ROWS_FROM_PIXELS:
        return F.adaptive_avg_pool2d(in_unit(photo).clamp(0, 1), SCENE)
    bounds = [(height * row // SCENE, -(-height * (row + 1) // SCENE)) for row in range(SCENE)]
    # One buffer for all: large blocks that come and go leave holes behind, at 48 megapixels 600 MB of them.
    shapes = [(*photo.shape[:2], bottom - top, width) for top, bottom in bounds]
    buffer = torch.empty(max(map(math.prod, shapes)), dtype=torch.float32, device=photo.device)
    rows = []
    for (top, bottom), shape in zip(bounds, shapes, strict=True):
        band = buffer[: math.prod(shape)].view(shape).copy_(photo[:, :, top:bottom])
        band = (band.div_(255) if photo.dtype == torch.uint8 else band).clamp_(0, 1)
        rows.append(F.adaptive_avg_pool2d(band, (1, SCENE)))
    return torch.cat(rows, dim=2)


def _convolutions(inputs: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, width, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(width, 2 * width, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(2 * width, 2 * width, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(2 * width, 3 * width, 3, stride=2, padding=1),
        nn.ReLU(),
    )


def _with_contrast(pixels: Tensor) -> Tensor:
    """Add the detail of each pixel's surroundings at equal contrast: (B, 3, H, W) → (B, 6, H, W).

    A thin streak changes a pixel by a few percent; next to the pixels themselves it would be learned last.
    """
    detail = pixels - _local_mean(pixels)
    spread = _local_mean(detail.square()).sqrt()
    return torch.cat([2 * pixels - 1, detail / (spread + 0.03)], dim=1)


def _local_mean(pixels: Tensor) -> Tensor:
    """Average 9×9 pixels, fewer at the border: two matrix products take a seventh of the time of pooling."""
    across, down = (_averaging(pixels.shape[dim], pixels) for dim in (-1, -2))
    with in_float32(pixels):  # the detail beside it is small: a tenth of it would be lost
        return down @ pixels @ across.T


def _averaging(size: int, like: Tensor) -> Tensor:
    """Return the matrix (size, size) whose row n averages the values within 4 of n."""
    place = torch.arange(size, device=like.device)
    near = ((place[:, None] - place).abs() <= 4).to(like.dtype)
    return near / near.sum(dim=1, keepdim=True)


class TaskEncoder(nn.Module):
    """Embeds a photo by its native detail and its whole scene, and compares it with learned prototypes.

    e_t also has to tell how much the weather changed each colour of the photo as a whole (`change`): how thick haze
    is and what light it scatters can not be seen in a part of a photo.
    """

    def __init__(self, config: OPIRConfig) -> None:
        super().__init__()
        width, dim = config.encoder_width, config.embedding_dim
        self.detail = nn.Sequential(nn.PixelUnshuffle(2), *_convolutions(24, width))
        self.scene = _convolutions(3, width)
        self.project = nn.Sequential(
            nn.LayerNorm(9 * width), nn.Linear(9 * width, 6 * width), nn.ReLU(), nn.Linear(6 * width, dim)
        )
        self.extremes = _convolutions(9, 2 * width)
        last = nn.Linear(4 * width, dim, bias=False)
        self.project_extremes = nn.Sequential(nn.Linear(12 * width, 4 * width), nn.ReLU(), last)
        self.change = nn.Linear(dim, 6)
        self.prototypes = nn.Parameter(torch.empty(len(Task), dim))
        if not self.prototypes.is_meta:  # as in `initialise`
            nn.init.normal_(self.prototypes, std=dim**-0.5)
        initialise(self)
        nn.init.zeros_(last.weight)

    def forward(self, photo: Tensor) -> Tensor:
        """Embed whole photos of any size: (B, 3, H, W) → (B, D); never copied as a whole.

        Args:
            photo: about [0, 1], or uint8 grey values.
        """
        return self.embed_parts(native_patches(photo), small_copy(photo))

    def embed_parts(self, patches: Tensor, scene: Tensor) -> Tensor:
        """Embed photos by what was cut from them: (B, D).

        Args:
            patches: of `native_patches`, (B·P, 3, 64, 64), those of a photo side by side.
            scene: of `small_copy`, (B, 3, 128, 128).
        """
        detail = self.detail(_with_contrast(patches.clamp(0, 1)))
        # The mean tells how much weather there is, the maximum whether a patch has any streak or flake at all.
        pooled = torch.cat([detail.mean(dim=(2, 3)), detail.amax(dim=(2, 3))], dim=1)
        pooled = pooled.reshape(scene.shape[0], -1, pooled.shape[1]).mean(dim=1)
        thumbnail = F.avg_pool2d(scene, _CELL)
        layout = self.scene(2 * thumbnail - 1).mean(dim=(2, 3))
        # Haze lifts the darkest of every place (the dark channel of He et al. 2009), most where it is thickest.
        brightest, darkest = F.max_pool2d(scene, _CELL), -F.max_pool2d(-scene, _CELL)
        extremes = self.extremes(2 * torch.cat([thumbnail, darkest, brightest], dim=1) - 1)
        most = torch.cat([extremes.mean(dim=(2, 3)), extremes.amax(dim=(2, 3))], dim=1)
        embedding: Tensor = self.project(torch.cat([pooled, layout], dim=1)) + self.project_extremes(most)
        return embedding.float()

    def whole_change(self, embedding: Tensor) -> tuple[Tensor, Tensor]:
        """Read from embeddings (B, D) what restoring does to a photo as a whole.

        Returns:
            Of each colour, (B, 3): what is added to its mean, in [0, 1] units, and the logarithm of what its standard
            deviation is multiplied with.
        """
        mean, spread = self.change(embedding).chunk(2, dim=1)
        return 0.1 * mean, spread

    def logits(self, embedding: Tensor) -> Tensor:
        """Score each task by the squared distance to its prototype: (B, D) → (B, T)."""
        difference = embedding[:, None] - self.prototypes.float()
        return -difference.square().sum(dim=2)
