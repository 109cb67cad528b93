"""The photos of a folder on the machines of a Ray cluster; each worker holds the weights once.

All machines must see the photos and the folder of the results under the same paths.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from opir.cli.jobs import Job, record_of
from opir.inference.restorer import Restorer
from opir.model.checkpoint import load_model

_WAITING_PER_WORKER = 2  # so that a worker never waits for its next photo

Work = Callable[[Restorer, Job], dict[str, Any]]


class _Worker:
    """A process with a model; Ray starts it anew when it dies, and gives it its photo again."""

    def __init__(self, loaded: tuple[Any, Any], device: str, work: Work) -> None:
        self.restorer = Restorer(loaded[0], device, info=loaded[1])
        self.work = work

    def restore(self, job: Job) -> dict[str, Any]:
        return record_of(job, lambda: self.work(self.restorer, job)) | {"worker": os.getpid()}


def run_on_ray(
    jobs: Iterable[Job], checkpoint: str, device: str, work: Work, workers: int | None = None
) -> Iterator[dict[str, Any]]:
    """Do jobs on a Ray cluster: the one that RAY_ADDRESS names or this machine has, else one of this machine alone.

    A job whose worker dies is done again by the worker that takes its place; results appear whole or not at all,
    so nothing is lost and nothing is left half written.

    Args:
        jobs: what to do.
        checkpoint: as for `Restorer.from_pretrained`; read here, and sent to the workers.
        device: of each worker; one on "cuda" takes a whole GPU.
        work: restores one photo and says what to report; must be importable by name on the workers.
        workers: how many; None for one on each processor, or each GPU for "cuda".

    Yields:
        What `opir.cli.run_jobs` yields, as jobs end, and "worker", the process that did it.

    Raises:
        ValueError: where Ray is not installed, or the cluster has no such device.
    """
    try:
        import ray
    except ImportError:
        raise ValueError('--engine ray needs Ray: install it with pip install "opir[cluster]"') from None
    loaded = load_model(checkpoint)
    started_here = not ray.is_initialized()
    if started_here:
        ray.init(log_to_driver=False, include_dashboard=False)
    try:
        kind = "GPU" if device.startswith("cuda") else "CPU"
        workers = workers or int(ray.cluster_resources().get(kind, 0))
        if not workers:
            raise ValueError(f"the cluster has no {kind}: choose another --device")
        actor = ray.remote(_Worker).options(
            num_cpus=1, num_gpus=int(kind == "GPU"), max_restarts=-1, max_task_retries=-1
        )
        weights, given = ray.put(loaded), ray.put(work)
        pool = [actor.remote(weights, device, given) for _ in range(workers)]
        free = pool * _WAITING_PER_WORKER
        running: dict[Any, Any] = {}
        for job in jobs:
            if not free:
                yield from _ended(ray, running, free)
            worker = free.pop(0)
            running[worker.restore.remote(job)] = worker
        while running:
            yield from _ended(ray, running, free)
    finally:
        if started_here:
            ray.shutdown()


def _ended(ray: Any, running: dict[Any, Any], free: list[Any]) -> list[dict[str, Any]]:
    """Wait for a job to end; its worker is free again."""
    (done,), _ = ray.wait(list(running), num_returns=1)
    free.append(running.pop(done))
    return [ray.get(done)]
