"""The batches of a run, step by step: decodes what is trained on, and shares a batch among processes."""

import torch

from opir.training.batch import TrainingBatch, join_batches
from opir.training.batches import BatchSource
from opir.training.config import Phase, TrainingConfig
from opir.training.pack import find_parts, read_pack
from opir.training.pictures import PictureFiles, TrainingPictures, list_pictures


class Feed:
    """Gives the batch of each step. It depends on the settings and the step alone, not on the number of processes."""

    def __init__(
        self, config: TrainingConfig, device: torch.device, step: int = 0, process: int = 0, processes: int = 1
    ) -> None:
        """Find the pictures that the settings name, and decode them, or a part of them.

        Args:
            config: of the run.
            device: where crops are cut and degraded.
            step: the next one.
            process: number of this process, from 0.
            processes: how many share each batch.

        Raises:
            ValueError: for folders or packs that are missing or do not fit, or a batch that can not be shared.
        """
        self._config, self._device = config, device
        self._shards = max(config.shards, processes)
        self._own_shards = range(process, self._shards, processes)
        self._check_shards(processes)
        self._files = PictureFiles(()) if config.data.pack else list_pictures(config.data)
        self.left_out = self._files.left_out
        """Sentences that say what is not trained on, and why."""
        pictures = self._open(step)
        self.description = pictures.describe()
        self.validation, self.validation_plain = pictures.validation, pictures.validation_plain

    def _open(self, step: int) -> TrainingPictures:
        data = self._config.data
        self._part = step // data.redraw_steps
        in_pack = read_pack(find_parts(data.pack)) if data.pack else None
        pictures = in_pack or self._files.decode(data.memory_gb, self._part)
        self._is_part = pictures.is_part
        self._source = BatchSource(pictures, data, self._device)
        return pictures

    def draw(self, phase: Phase, step: int) -> tuple[TrainingBatch, int]:
        """Return this process's part of a step's batch, and the number of levels to train with it."""
        config = self._config
        if self._is_part and step // config.data.redraw_steps != self._part:
            del self._source  # frees its memory before the next part is decoded
            self._open(step)
        side, crops, num_levels = phase.sizes(step)
        shares = list(config.task_shares(phase).values())
        first = (config.seed * 1_000_003 + step) * self._shards
        batches = [
            self._source.draw(shares, crops // self._shards, side, first + shard, config.prototype_share, num_levels)
            for shard in self._own_shards
        ]
        return join_batches(batches), num_levels

    def _check_shards(self, processes: int) -> None:
        shards = self._shards
        if shards % processes:
            raise ValueError(f"shards={shards} must be a multiple of the {processes} processes")
        for phase in self._config.phases:
            sizes = {phase.sizes(step)[1] for step in range(max(1, phase.large_every, phase.levels_every))}
            if not all(size and size % shards == 0 for size in sizes):
                raise ValueError(
                    f"batch={phase.batch} must be a multiple of the {shards} shards or processes"
                    + (", a quarter of it for large crops too" if len(sizes) > 1 else "")
                )
