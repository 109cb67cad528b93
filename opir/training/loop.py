"""The training loop: the same command on one CPU, one GPU, or several under torchrun (through accelerate)."""

import json
import math
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.utils import broadcast
from PIL import Image
from torch import Tensor
from torch.optim import AdamW, Optimizer
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from opir.config import OPIRConfig
from opir.devices import choose_precision, reuse_freed_memory
from opir.files import prepare_folders, written_whole
from opir.model import OPIR
from opir.model.checkpoint import load_model, read_training, save_model
from opir.model.record import RUNS, all_runs, run_entry
from opir.training.batch import TrainingBatch
from opir.training.commit import current_commit
from opir.training.config import Phase, TrainingConfig
from opir.training.feed import Feed
from opir.training.growing import grow_into
from opir.training.muon import Muon
from opir.training.state import load_state, save_state
from opir.training.step import TrainingStep
from opir.training.validation import Validation, summarise

_LOG_EVERY_STEPS = 20
_STATE = "state.safetensors"


def rate_factor(config: TrainingConfig, step: int, share: float) -> float:
    """Return the factor of the learning rates, 0 to 1: a linear warm-up, then a cosine.

    Args:
        config: of the run.
        step: number of the step.
        share: of the schedule that is done (`TrainingConfig.share_done`).
    """
    if step < config.warmup_steps:
        return (step + 1) / config.warmup_steps
    warm = config.share_done(config.warmup_steps, 0)
    progress = min(1.0, max(0.0, share - warm) / max(1e-9, 1 - warm))
    return (1 + math.cos(math.pi * progress)) / 2


def _make_optimizer(step: TrainingStep, config: TrainingConfig) -> Optimizer:
    if config.optimizer == "muon":
        return Muon(step.named_parameters(), config.learning_rate, config.matrix_learning_rate, config.weight_decay)
    return AdamW(step.parameters(), lr=config.learning_rate, betas=(0.9, 0.999), weight_decay=config.weight_decay)


def _copy_weights(name: str, model: OPIR) -> list[dict[str, Any]]:
    """Copy the weights of a checkpoint into a model; returns the runs that the checkpoint was trained in."""
    source, info = load_model(name)
    if info.config == model.config:
        model.load_state_dict(source.state_dict())
        return all_runs(info.metadata)
    try:
        grow_into(model, source)
    except ValueError as error:
        raise ValueError(f"start_from={name} does not fit: {error}; set the same [model] as in `opir info`") from None
    return all_runs(info.metadata)


class Trainer:
    """One run: what it trains, what it trains on, and where it writes."""

    def __init__(self, config: TrainingConfig, build_model: Callable[[OPIRConfig], OPIR] = OPIR) -> None:
        """Prepare a run; it goes on from its last state if there is one.

        Args:
            config: of the run.
            build_model: makes the model from `config.model`; comparisons give another one (`benchmarks/ablations`).
        """
        self.config = config
        self.commit = current_commit()  # read now, because the checkout may change during the run
        cpu = not torch.cuda.is_available()
        if cpu:
            reuse_freed_memory()
        else:
            torch.backends.cudnn.benchmark = True
            torch.set_float32_matmul_precision("high")
        precision = choose_precision(config.precision, torch.device("cpu" if cpu else "cuda"))
        self.accelerator = Accelerator(
            cpu=cpu,
            mixed_precision="bf16" if precision is torch.bfloat16 else "no",
            kwargs_handlers=[DistributedDataParallelKwargs(find_unused_parameters=True)],
        )
        self.device = self.accelerator.device
        torch.manual_seed(config.seed)
        model = build_model(config.model)
        self._earlier_runs = _copy_weights(config.start_from, model) if config.start_from else []
        model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        step = TrainingStep(model, config.loss)
        optimizer = _make_optimizer(step, config)
        self._device_shares: dict[Phase, Tensor] = {}
        self.peak_rates = [float(group["lr"]) for group in optimizer.param_groups]
        self.folder = Path(config.output)
        average = get_ema_multi_avg_fn(config.ema_decay)  # type: ignore[no-untyped-call]
        self.ema = AveragedModel(model, multi_avg_fn=average).to(self.device)
        self.ema.n_averaged = self.ema.n_averaged.cpu()  # read in every step: on a GPU, each step would wait for it
        if config.compiled:  # not the averaged model, which is only validated, with other sizes
            model.compile_stages()
        self.state = load_state(self.folder / _STATE, model, self.ema, optimizer)
        exported = self.folder / "model.safetensors"
        if self.state.step and exported.is_file():  # the checkpoint it started from may have changed since
            self._earlier_runs = all_runs(read_training(exported))[:-1]
        self.step, self.optimizer = self.accelerator.prepare(step, optimizer)
        for values in optimizer.state.values():
            values["step"] = values["step"].cpu()  # AdamW reads it in every step
        self.feed = Feed(
            config,
            self.device,
            self.state.step,
            self.accelerator.process_index,
            self.accelerator.num_processes,
        )
        self._drawing_thread = None if cpu else ThreadPoolExecutor(1)
        self._next_batch: dict[tuple[Phase, int], Future[tuple[TrainingBatch, int]]] = {}
        self._print(f"training on {self.feed.description}", *self.feed.left_out)
        self.validation: Validation | None = None
        if self.feed.validation:
            self.validation = Validation(self.feed.validation, self.feed.validation_plain, self.device)
        self.metrics: dict[str, float] = {}
        """Of the latest validation."""
        self._validated = -1  # the step of that validation

    def _print(self, *sentences: str) -> None:
        if self.accelerator.is_main_process:
            for sentence in sentences:
                tqdm.write(f"opir: {sentence}", file=sys.stderr)

    @property
    def model(self) -> OPIR:
        """The model being trained, without its wrappers."""
        inner = self.accelerator.unwrap_model(self.step).model
        assert isinstance(inner, OPIR)
        return inner

    @property
    def averaged_model(self) -> OPIR:
        """The running average of the weights: what is validated and exported."""
        assert isinstance(self.ema.module, OPIR)
        return self.ema.module

    @property
    def share_done(self) -> float:
        """Which share of the schedule is done, 0 to 1."""
        return self.config.share_done(self.state.step, self.state.seconds)

    def run(self) -> Path:
        """Train to the last step, or until `stop_after_minutes` or Ctrl-C; returns the exported model's path."""
        prepare_folders([self.folder])
        writer = SummaryWriter(str(self.folder / "tensorboard")) if self.accelerator.is_main_process else None
        try:
            self._run_steps(writer)
            self._validate(writer)
        except KeyboardInterrupt:
            self._print(f"stopped at step {self.state.step}; the same command goes on from there")
        if writer:
            writer.close()
        self._save()
        return self.folder / "model.safetensors"

    def _run_steps(self, writer: SummaryWriter | None) -> None:
        started = saved = time.monotonic()
        spent_before = self.state.seconds
        is_main = self.accelerator.is_main_process
        with tqdm(total=self.config.steps, initial=self.state.step, unit="step", disable=not is_main) as progress:
            while self.share_done < 1:
                parts = self._train_step()
                self.state.step += 1
                spent = self._main_process_time(time.monotonic() - started)
                self.state.seconds = spent_before + spent
                progress.update()
                if self.state.step % _LOG_EVERY_STEPS == 0:
                    values = self._mean_over_processes(parts)
                    progress.set_postfix({"loss": f"{values['loss']:.4f}"} | self._minutes_left(spent))
                    self._log(writer, "train", values)
                if self.state.step % self.config.validate_every_steps == 0:
                    self._validate(writer)
                if time.monotonic() - saved > 60 * self.config.save_every_minutes:
                    self._save()
                    saved = time.monotonic()
                if self.config.stop_after_minutes and spent > 60 * self.config.stop_after_minutes:
                    break

    def _minutes_left(self, spent: float) -> dict[str, str]:
        """Return how many minutes a run with a time limit still takes, for the progress bar."""
        config = self.config
        ends = [60 * config.minutes - self.state.seconds] if config.minutes else []
        ends += [60 * config.stop_after_minutes - spent] if config.stop_after_minutes else []
        return {"ends in": f"{max(0.0, min(ends)) / 60:.1f} min"} if ends else {}

    def _validate(self, writer: SummaryWriter | None) -> None:
        """Validate, at most once for each step; the main process writes a picture beside the weights."""
        if self.validation is None or self._validated == self.state.step:
            return
        self._validated = self.state.step
        self.metrics = self.validation.measure(self.averaged_model)
        self._log(writer, "validation", self.metrics)
        if self.accelerator.is_main_process:
            picture = self.validation.picture(self.averaged_model)
            path = self.folder / "validation.png"
            with written_whole(path) as file:
                Image.fromarray(picture.permute(1, 2, 0).numpy()).save(file, "PNG")
            self._print(f"step {self.state.step}: {summarise(self.metrics)} ({path})")

    def _mean_over_processes(self, parts: dict[str, Tensor]) -> dict[str, float]:
        means = self.accelerator.reduce(torch.stack(list(parts.values())), reduction="mean")
        return dict(zip(parts, means.tolist(), strict=True))

    def _main_process_time(self, seconds: float) -> float:
        """Return the main process's seconds, so that all processes change phase and stop at the same step."""
        clock = torch.tensor(seconds, device=self.device)
        return float(broadcast(clock)) if self.accelerator.num_processes > 1 else seconds

    def _train_step(self) -> dict[str, Tensor]:
        config, step, share = self.config, self.state.step, self.share_done
        phase = config.phase(share)
        if self._begins_second_stage(phase):
            self.model.copy_first_modulator()
        self.state.num_stages = phase.num_stages
        factor = rate_factor(config, step, share)
        for group, peak in zip(self.optimizer.param_groups, self.peak_rates, strict=True):
            group["lr"] = config.final_learning_rate + (peak - config.final_learning_rate) * factor
        batch, num_levels = self._draw_batch(phase, step)
        loss, parts = self.step(batch, phase.num_stages, phase.uncertainty, self._task_shares(phase), num_levels)
        self.optimizer.zero_grad()
        self.accelerator.backward(loss)
        self.accelerator.clip_grad_norm_(self.step.parameters(), config.gradient_clip)
        self.optimizer.step()
        self.ema.update_parameters(self.model)
        return {"loss": loss.detach(), **parts}

    def _draw_batch(self, phase: Phase, step: int) -> tuple[TrainingBatch, int]:
        """Return a step's batch; for a GPU a thread already draws the next one."""
        if self._drawing_thread is None:
            return self.feed.draw(phase, step)
        key = (phase, step)
        drawn = (
            self._next_batch.pop(key)
            if key in self._next_batch
            else self._drawing_thread.submit(self.feed.draw, phase, step)
        )
        self._next_batch = {(phase, step + 1): self._drawing_thread.submit(self.feed.draw, phase, step + 1)}
        return drawn.result()

    def _task_shares(self, phase: Phase) -> Tensor:
        """Return the shares of the tasks in a phase, (T,), sum 1; copied to the device once."""
        if phase not in self._device_shares:
            shares = torch.tensor([float(share) for share in self.config.task_shares(phase).values()])
            self._device_shares[phase] = (shares / shares.sum()).to(self.device)
        return self._device_shares[phase]

    def _begins_second_stage(self, phase: Phase) -> bool:
        """Tell whether stage 2 is trained from now on and was not before; weights to start from have it trained."""
        trained = self.state.num_stages
        return bool(trained) and phase.num_stages > trained and not self.config.start_from

    def _log(self, writer: SummaryWriter | None, kind: str, values: dict[str, float]) -> None:
        if writer is None:
            return
        for name, value in values.items():
            writer.add_scalar(f"{kind}/{name}", value, self.state.step)
        record: dict[str, Any] = {
            "step": self.state.step,
            "kind": kind,
            "seconds": round(self.state.seconds, 1),
            "learning_rate": self.optimizer.param_groups[0]["lr"],
            **{name: round(value, 5) for name, value in values.items()},
        }
        with (self.folder / "log.jsonl").open("a") as log:
            log.write(json.dumps(record) + "\n")

    def _save(self) -> None:
        if not self.accelerator.is_main_process:
            return
        save_state(self.folder / _STATE, self.state, self.model, self.ema, self.optimizer)
        metadata: dict[str, Any] = {
            "step": self.state.step,
            "steps": self.config.steps,
            "hours": round(self.state.seconds / 3600, 2),
            "commit": self.commit,
            "data": self.feed.description,
            "metrics": {name: round(value, 3) for name, value in self.metrics.items()},
            "settings": self.config.to_dict(),
        }
        metadata[RUNS] = [*self._earlier_runs, run_entry(metadata)]
        save_model(self.averaged_model, self.folder / "model.safetensors", metadata)


def train(config: TrainingConfig) -> Path:
    """Train a model as configured, going on from the run's last state if there is one.

    Returns:
        Path of the exported model, `<output>/model.safetensors`.
    """
    return Trainer(config).run()
