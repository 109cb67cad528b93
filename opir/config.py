"""Hyper-parameters of the model, stored inside every checkpoint."""

from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True)
class OPIRConfig:
    """The shape of an OPIR model; the defaults are the paper's (preset "paper").

    The first group sizes the kernel prediction network, the second holds the switches of Table 5.
    """

    block: str = "nafnet"
    """A name of `opir.model.blocks.BLOCKS`."""
    width: int = 96
    max_width: int = 768
    """Features of the KPN double at each coarser resolution of the U-Net, up to this many."""
    encoder_blocks: tuple[int, ...] = (2, 4, 8)
    middle_blocks: int = 10
    decoder_blocks: tuple[int, ...] = (2, 2, 2)

    num_stages: int = 2
    uncertainty_guided: bool = True
    task_aware: bool = True
    scales: tuple[int, ...] = (1, 2, 4, 8)
    kernel_channels: int = 3

    embedding_dim: int = 32
    encoder_width: int = 24
    modulator_width: int = 24
    conditioned_predictor: bool = False
    """Whether e_t also acts on the KPN's coarsest features, as factors and offsets; in the paper on kernels alone."""
    cell_extremes: bool = False
    """Whether the KPN's coarsest features also get the darkest and brightest of each colour in their cells."""
    smooth_maps: bool = False
    """Whether features are enlarged bilinearly and cells overlap, so that even areas get maps without a grid."""

    def __post_init__(self) -> None:
        if self.num_stages not in (1, 2):
            raise ValueError(f"num_stages must be 1 or 2, got {self.num_stages}")
        if self.kernel_channels not in (1, 3):
            raise ValueError(f"kernel_channels must be 1 (Eq. 14) or 3 (one per colour), got {self.kernel_channels}")
        if not self.scales or any(scale < 1 for scale in self.scales):
            raise ValueError(f"scales must be positive dilations such as (1, 2, 4, 8), got {self.scales}")
        if len(self.encoder_blocks) != len(self.decoder_blocks):
            raise ValueError(
                f"encoder_blocks and decoder_blocks must be equally long, got {len(self.encoder_blocks)} "
                f"and {len(self.decoder_blocks)}"
            )
        if self.max_width < self.width:
            raise ValueError(
                f"max_width must be at least width, from which features only grow, got {self.max_width} "
                f"and width {self.width}"
            )

    @property
    def num_scales(self) -> int:
        """S of Eq. 17."""
        return len(self.scales)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "OPIRConfig":
        """Rebuild a config from `to_dict` or a TOML table; an unknown key or a wrong type raises ValueError."""
        if not isinstance(values, dict):
            raise ValueError(f"expected model settings by name, got {type(values).__name__}")
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(
                f"unknown model setting {', '.join(unknown)}: expected some of {', '.join(sorted(known))}"
            )
        frozen: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
        }
        usual = cls()
        for key, value in frozen.items():
            wanted = type(getattr(usual, key))
            if not isinstance(value, wanted):
                raise ValueError(f"expected {wanted.__name__} for the model setting {key}, got {value!r}")
        return cls(**frozen)


PRESETS: dict[str, OPIRConfig] = {
    "paper": OPIRConfig(),
    "lite": OPIRConfig(
        block="residual",
        width=32,
        max_width=192,
        encoder_blocks=(1, 1, 1),
        middle_blocks=2,
        decoder_blocks=(1, 1, 2),
        encoder_width=16,
        modulator_width=16,
        conditioned_predictor=True,
        cell_extremes=True,
        smooth_maps=True,
    ),
}


def preset(name: str) -> OPIRConfig:
    """Return a named model size; raises ValueError that lists the names."""
    if name not in PRESETS:
        raise ValueError(f'unknown preset "{name}": use one of {", ".join(sorted(PRESETS))}')
    return PRESETS[name]
