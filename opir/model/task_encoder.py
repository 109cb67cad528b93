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
SCENE = 128  # side of a small copy that still shows the darkest and brightest things of a scene
_CELL = 4  # a pixel of the thumbnail is the mean of 4×4 pixels of that copy: haze, its light, the layout of the scene
_BY_ROWS_FROM_PIXELS = 4_000_000  # larger photos are averaged some rows at a time, to save memory


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
    """Average a photo, clamped to [0, 1], to 128×128 pixels; of a large photo, one row of the copy at a time."""
    height, width = photo.shape[-2:]
    if height * width < _BY_ROWS_FROM_PIXELS:
        return F.adaptive_avg_pool2d(in_unit(photo).clamp(0, 1), SCENE)
    bounds = [(height * row // SCENE, -(-height * (row + 1) // SCENE)) for row in range(SCENE)]
    # One buffer for all rows: a block of memory for each would fragment the heap, by 600 MB at 48 megapixels.
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

    A thin streak changes a pixel by a few percent; from the pixels alone it would be learned last.
    """
    detail = pixels - _local_mean(pixels)
    spread = _local_mean(detail.square()).sqrt()
    return torch.cat([2 * pixels - 1, detail / (spread + 0.03)], dim=1)


def _local_mean(pixels: Tensor) -> Tensor:
    """Average 9×9 pixels, fewer at the border: two matrix products take a seventh of the time of pooling."""
    across, down = (_averaging(pixels.shape[dim], pixels) for dim in (-1, -2))
    with in_float32(pixels):  # detail is a small difference, of which half precision would lose a tenth
        return down @ pixels @ across.T


def _averaging(size: int, like: Tensor) -> Tensor:
    """Return the matrix (size, size) whose row n averages the values within 4 of n."""
    place = torch.arange(size, device=like.device)
    near = ((place[:, None] - place).abs() <= 4).to(like.dtype)
    return near / near.sum(dim=1, keepdim=True)


class TaskEncoder(nn.Module):
    """Embeds a photo by its native detail and its whole scene, and compares it with learned prototypes.

    From e_t the change of each colour of the whole photo is predicted too (`change`), because how thick haze is, and
    the colour of its light, can not be seen in a part of a photo.
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
        """Embed photos of any size: (B, 3, H, W) → (B, D), without a copy of the whole photo.

        Args:
            photo: about [0, 1], or uint8 grey values.
        """
        return self.embed_parts(native_patches(photo), small_copy(photo))

    def embed_parts(self, patches: Tensor, scene: Tensor) -> Tensor:
        """Embed photos from their patches and small copies: (B, D).

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
        # Haze brightens the darkest pixels of every place (the dark channel of He et al. 2009).
        brightest, darkest = F.max_pool2d(scene, _CELL), -F.max_pool2d(-scene, _CELL)
        extremes = self.extremes(2 * torch.cat([thumbnail, darkest, brightest], dim=1) - 1)
        most = torch.cat([extremes.mean(dim=(2, 3)), extremes.amax(dim=(2, 3))], dim=1)
        embedding: Tensor = self.project(torch.cat([pooled, layout], dim=1)) + self.project_extremes(most)
        return embedding.float()

    def whole_change(self, embedding: Tensor) -> tuple[Tensor, Tensor]:
        """Predict from embeddings (B, D) how restoring changes the whole photo.

        Returns:
            For each colour, (B, 3): what is added to its mean, in [0, 1], and the logarithm of the factor of its
            standard deviation.
        """
        mean, spread = self.change(embedding).chunk(2, dim=1)
        return 0.1 * mean, spread

    def logits(self, embedding: Tensor) -> Tensor:
        """Score each task by the squared distance to its prototype: (B, D) → (B, T)."""
        difference = embedding[:, None] - self.prototypes.float()
        return -difference.square().sum(dim=2)
