"""A dense U-Net of the size of EfDeRain (Guo et al. 2021), with random weights: the second yardstick.

The ancestor of this method: plain 3×3 convolutions without normalisation predict one 3×3 kernel for each pixel and
colour, the photo is filtered with it at four dilations, and one convolution fuses the four results.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from opir.ops.filtering import TAPS, filter_multiscale

SCALES = (1, 2, 3, 4)


class _Level(nn.Sequential):
    def __init__(self, inputs: int, width: int) -> None:
        layers: list[nn.Module] = []
        for channels in (inputs, width, width):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
        super().__init__(*layers)


class EfDeRain(nn.Module):
    """27 M parameters, 48 GMACs at 256×256. H and W are multiples of 16."""

    def __init__(self) -> None:
        super().__init__()
        outputs = 3 * TAPS
        self.down = nn.ModuleList([_Level(3, 64), _Level(64, 128), _Level(128, 256), _Level(256, 512)])
        self.bottom = _Level(512, 512)
        self.up = nn.ModuleList([_Level(512 + 512, 512), _Level(512 + 256, 256), _Level(256 + 128, outputs)])
        self.kernels = nn.Conv2d(outputs, outputs, 1)
        self.fuse = nn.Conv2d(3 * len(SCALES), 3, 3, padding=1)

    def forward(self, picture: Tensor) -> Tensor:
        """Restore (B, 3, H, W)."""
        features, skips = picture, []
        for block in self.down:
            features = block(features)
            skips.append(features)
            features = F.avg_pool2d(features, 2)
        features = self.bottom(features)
        for block, skip in zip(self.up, skips[:0:-1], strict=True):
            features = block(torch.cat([skip, _enlarged(features)], dim=1))
        kernels = self.kernels(_enlarged(features)).to(picture.dtype)
        weights = torch.ones_like(picture[:, :1])
        filtered = [filter_multiscale(picture, kernels, weights, (scale,)) for scale in SCALES]
        restored: Tensor = self.fuse(torch.cat(filtered, dim=1))
        return restored


def _enlarged(features: Tensor) -> Tensor:
    return F.interpolate(features, scale_factor=2, mode="bilinear", align_corners=False)
