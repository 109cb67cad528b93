"""Settings of a training run: a TOML file, then key=value changes; an unknown key is an error."""

import tomllib
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from opir.config import OPIRConfig, preset
from opir.tasks import TASK_NAMES, Task
from opir.training.losses import LossWeights


@dataclass(frozen=True)
class Phase:
    """A part of the run with one crop size; early phases may have small crops, which are cheap."""

    until: float = 1.0
    """Share of all steps at which the phase ends."""
    crop: int = 256
    batch: int = 32
    """Crops of one step, over all processes."""
    num_stages: int = 2
    uncertainty: float = 1.0
    """Factor of the uncertainty term of the loss."""
    shares: tuple[float, ...] = ()
    """Shares of rain, snow, haze and clean crops in this phase; empty takes those of the data."""
    large_every: int = 0
    """One step of so many has a quarter as many crops of twice the side, which show haze better; 0 for none."""
    levels_every: int = 0
    """One step of so many has such large crops, restored as a pyramid of two levels; 0 for none."""

    def __post_init__(self) -> None:
        if len(self.shares) not in (0, len(Task)):
            raise ValueError(
                f"shares of a phase must be {len(Task)} numbers ({', '.join(TASK_NAMES)}), got {list(self.shares)}"
            )

    def sizes(self, step: int) -> tuple[int, int, int]:
        """Return the side of a step's crops, how many they are, and of how many levels."""
        if self.levels_every and step % self.levels_every == 1:
            return 2 * self.crop, self.batch // 4, 2
        if self.large_every and step % self.large_every == 0:
            return 2 * self.crop, self.batch // 4, 1
        return self.crop, self.batch, 1


@dataclass(frozen=True)
class DataConfig:
    """What is trained on; folders are relative to where the command runs."""

    clean: str = ""
    """Folder of photos without weather and without depths."""
    photos: tuple[tuple[str, str], ...] = ()
    """(folder of photos without weather, folder of their depths or "")."""
    pairs: tuple[tuple[str, str, str], ...] = ()
    """(task, input folder, target folder)."""
    sets: tuple[tuple[str, str], ...] = ()
    """(name, folder) of published sets, as `opir.data.LAYOUTS` names them."""
    streaks: str = ""
    """Folder of recorded streak layers."""
    streak_pairs: tuple[tuple[str, str], ...] = ()
    """(folder of rainy photos, folder of the same restored by another method): the difference is real rain."""
    fields: str = ""
    """Folder of distance maps without photos, which are used with unrelated photos."""
    plain: int = 0
    """How many pictures without weather are drawn."""
    validation: str = ""
    """Folder of photos to validate on."""
    validation_depth: str = ""
    """Folder of their depths."""
    validation_plain: str = ""
    """Folder of pictures without weather that should be left alone."""
    keep_aside: int = 0
    """How many photos of `clean` are validated on if `validation` is empty; at most a tenth of them."""
    pack: tuple[str, ...] = ()
    """Folders with parts of a pack (opir/training/pack.py) to train on, in place of all folders above."""
    leave_out_missing: bool = False
    """Whether missing folders, other than `clean`, are left out and named; else they are an error."""
    rain: float = 1.0
    snow: float = 1.0
    haze: float = 1.0
    untouched: float = 0.5
    """Shares of the tasks; `untouched` is Task.CLEAN."""
    pair_share: float = 0.2
    """Share of a task's crops that come from its pairs, where there are clean photos too."""
    max_zoom: float = 4.0
    """Crops are cut from windows of up to this many times their side, if the photo is large enough."""
    haze_part: float = 0.6
    """Hazy crops are cut from windows of at least this share of the photo's short side, which show the scene."""
    turn_share: float = 0.15
    """Share of crops that are turned by 90, 180 or 270 degrees."""
    memory_gb: float = 4.0
    """Room for decoded pictures on the training device, in 10⁹ bytes a process; of more, a part is drawn."""
    redraw_steps: int = 2000
    """Steps after which another part is drawn."""

    @property
    def task_shares(self) -> dict[Task, float]:
        """The shares by task: the field of its name, `untouched` for Task.CLEAN."""
        names = {task: "untouched" if task is Task.CLEAN else task.label for task in Task}
        for name in names.values():
            if not hasattr(self, name):
                raise ValueError(f"expected a share of {name} among the settings; add `{name}: float` to DataConfig")
        return {task: getattr(self, name) for task, name in names.items()}


@dataclass(frozen=True)
class TrainingConfig:
    """One run; the defaults are the paper's (appendix B.1)."""

    model: OPIRConfig = field(default_factory=OPIRConfig)
    data: DataConfig = field(default_factory=DataConfig)
    loss: LossWeights = field(default_factory=LossWeights)
    phases: tuple[Phase, ...] = (Phase(),)
    output: str = "runs/opir"
    start_from: str = ""
    """Checkpoint whose weights a run starts with: of the same model or a smaller one (opir/training/growing.py)."""
    steps: int = 400_000
    minutes: float = 0.0
    """If above 0, the schedule also ends after so much time, restarts included."""
    optimizer: str = "adamw"
    """"adamw", or "muon" for the convolutions between features (opir/training/muon.py)."""
    learning_rate: float = 2e-4
    matrix_learning_rate: float = 1e-3
    """Learning rate of the parameters that Muon trains."""
    final_learning_rate: float = 1e-7
    warmup_steps: int = 0
    weight_decay: float = 0.0
    gradient_clip: float = 1.0
    ema_decay: float = 0.999
    prototype_share: float = 0.3
    """Share of crops that are restored with their task's prototype as e_t, instead of their own embedding."""
    seed: int = 0
    shards: int = 1
    """Parts of a batch, each with its own seed: batches are the same for any number of processes that divides it."""
    precision: str = "auto"
    """"auto", "bf16" or "fp32"; auto is bf16 where the processor has it."""
    compiled: bool = False
    """Whether `torch.compile` compiles the stages: a minute or two for each size of batch, then faster steps."""
    save_every_minutes: float = 5.0
    validate_every_steps: int = 1000
    stop_after_minutes: float = 0.0
    """Save and stop after so long; 0 runs to the end."""

    def __post_init__(self) -> None:
        if self.optimizer not in ("adamw", "muon"):
            raise ValueError(f'optimizer must be "adamw" or "muon", got "{self.optimizer}"')

    def share_done(self, step: int, seconds: float) -> float:
        """Return which share of the schedule is done, 0 to 1."""
        spent = seconds / (60 * self.minutes) if self.minutes else 0.0
        return min(1.0, max(spent, step / self.steps))

    def phase(self, share: float) -> Phase:
        """Return the phase after a share of the schedule."""
        for phase in self.phases:
            if share < phase.until:
                return phase
        return self.phases[-1]

    def task_shares(self, phase: Phase) -> dict[Task, float]:
        """Return the shares by task in a phase."""
        return dict(zip(Task, phase.shares, strict=True)) if phase.shares else self.data.task_shares

    def to_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold."""
        return asdict(self)


def _build(kind: Any, values: dict[str, Any], where: str) -> Any:
    known = {item.name for item in fields(kind)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise ValueError(
            f"unknown setting {', '.join(unknown)} in {where}: expected some of {', '.join(sorted(known))}"
        )
    return kind(**{key: _frozen(value) for key, value in values.items()})


def _frozen(value: Any) -> Any:
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value


def _parse_override(text: str) -> tuple[list[str], Any]:
    key, separator, value = text.partition("=")
    if not separator or not key:
        raise ValueError(f'expected key=value such as steps=1000 or data.clean=photos, got "{text}"')
    try:
        parsed = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        parsed = value
    return key.split("."), parsed


def _read_toml(path: Path) -> dict[str, Any]:
    """Read a file; if it names a `base` beside it, its values replace those of the base."""
    try:
        values = tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise ValueError(f"no such configuration: {path} (expected a TOML file, see configs/)") from None
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path} is not valid TOML: {error}") from None
    if "base" not in values:
        return values
    merged = _read_toml(path.parent / values.pop("base"))
    for key, value in values.items():
        merged[key] = {**merged.get(key, {}), **value} if isinstance(value, dict) else value
    return merged


def load_training_config(path: str | Path, overrides: list[str] | None = None) -> TrainingConfig:
    """Read a run's settings.

    Args:
        path: TOML file; `base` may name another beside it whose values it changes, and `[model]` a `preset`.
        overrides: "key=value" or "table.key=value", applied last.

    Raises:
        ValueError: for a missing file, bad TOML, or an unknown key or value.
    """
    path = Path(path)
    values = _read_toml(path)
    for override in overrides or []:
        keys, value = _parse_override(override)
        table = values
        for key in keys[:-1]:
            table = table.setdefault(key, {})
        table[keys[-1]] = value
    model = values.pop("model", {})
    base = preset(model.pop("preset", "paper"))
    values["model"] = OPIRConfig.from_dict({**base.to_dict(), **model})
    values["data"] = _build(DataConfig, values.get("data", {}), f"[data] of {path}")
    values["loss"] = _build(LossWeights, values.get("loss", {}), f"[loss] of {path}")
    if "phases" in values:
        values["phases"] = tuple(_build(Phase, phase, f"[[phases]] of {path}") for phase in values["phases"])
    config: TrainingConfig = _build(TrainingConfig, values, str(path))
    data = config.data
    if not any((data.clean, data.photos, data.pairs, data.sets, data.pack)):
        raise ValueError(f"{path} names no photos to train on: set data.clean=FOLDER")
    return replace(config, phases=tuple(sorted(config.phases, key=lambda phase: phase.until)))
