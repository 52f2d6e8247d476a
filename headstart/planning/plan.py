"""Puts a plan together: what would run, on how many images, and the time, memory and disk space it would take."""

import os
import platform
import shutil
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from headstart.base.memory import control_group_limit
from headstart.foundation import memo, versions
from headstart.planning import amounts, copies, counts, durations, memory, pending, space
from headstart.planning.counts import Counts
from headstart.planning.durations import Seconds
from headstart.planning.measured import Measured
from headstart.settings.schema import Optimization, Params, Scratch

# Megapixels that go through the base or a network in a run that is worth measuring the machine for: with VGG16 a
# processor of two cores in float32 takes some four minutes for so many.
_WORTH_MEASURING = 100.0


@dataclass(frozen=True)
class Stage:
    """What a stage takes."""

    name: str  # as dvc.yaml has it
    runs: bool  # whether it would run at all; otherwise nothing else counts
    seconds: Seconds  # it takes
    memory: int  # bytes at its peak
    disk: int  # bytes of its outputs


@dataclass(frozen=True)
class Plan:
    """What a run would take."""

    stages: Sequence[Stage]  # all of them, in the order of dvc.yaml
    counts: Counts  # the images
    copies: int  # bytes of DVC's own copies
    overhead: float  # seconds of DVC's own
    free_memory: int  # bytes
    free_disk: int  # bytes

    @property
    def running(self) -> list[Stage]:
        """The stages that would run."""
        return [stage for stage in self.stages if stage.runs]

    @property
    def seconds(self) -> Seconds:
        """Of the whole run."""
        return Seconds(
            *(
                self.overhead + sum(getattr(stage.seconds, kind) for stage in self.running)
                for kind in ("likely", "most")
            )
        )

    @property
    def memory(self) -> int:
        """Bytes at the peak: stages run one after another."""
        return max((stage.memory for stage in self.running), default=0)

    @property
    def disk(self) -> int:
        """Bytes of all outputs and DVC's copies."""
        return self.copies + sum(stage.disk for stage in self.running)


class _Unmeasured(Exception):  # noqa: N818 - no fault of anybody's
    """This machine was not measured for these settings yet."""


def make(params: Params, every_stage: bool = False) -> Plan:
    """Make a plan, measuring this machine if that was not done before for such settings.

    Raises:
        InputError: the source can't be counted, or the settings don't fit the base.
    """
    definition = pending.stages()
    running = list(definition) if every_stage else pending.pending(definition, pending.status())
    found = counts.count(params, prepared="prepare" not in running)
    if not running:
        return _nothing(found, definition)
    return assemble(params, found, recall(params, found, _measure), definition, running)


def quickly(params: Params, status: Mapping[str, Any]) -> Plan | None:
    """Make a plan without measuring this machine, unless the run is so long that it makes no difference.

    ``status`` is what `dvc status --json` says.

    Returns:
        None for a short run on a machine that was not measured.

    Raises:
        InputError: as for :func:`make`.
    """
    definition = pending.stages()
    running = pending.pending(definition, status)
    found = counts.count(params, prepared="prepare" not in running)
    try:
        measured = recall(params, found, _measure if is_long(params, found, running) else _refuse)
    except _Unmeasured:
        return None
    return assemble(params, found, measured, definition, running)


def assemble(params: Params, found: Counts, measured: Measured, stages: Iterable[str], running: Sequence[str]) -> Plan:
    """Put a plan together from what is known; of all ``stages``, in order, those in ``running`` would run."""
    seconds = durations.of_stages(params, found, measured)
    peaks = memory.of_stages(params, found, measured)
    written = space.of_stages(params, found, measured)
    light = durations.of_any_stage(measured)
    kept = space.copied({name: size for name, size in written.items() if name in running}) if copies.are_kept() else 0
    return Plan(
        stages=[
            Stage(
                name,
                name in running,
                seconds.get(name, Seconds(light, light)),
                peaks.get(name, memory.of_any_stage()),
                written.get(name, 0),
            )
            for name in stages
        ],
        counts=found,
        copies=kept,
        overhead=durations.of_dvc(sum(written.get(name, 0) for name in running), measured),
        free_memory=_free_memory(),
        free_disk=_free_disk(),
    )


def _nothing(found: Counts, stages: Iterable[str]) -> Plan:
    """A plan where every stage is up to date."""
    none = Seconds(0.0, 0.0)
    idle = [Stage(name, runs=False, seconds=none, memory=0, disk=0) for name in stages]
    return Plan(idle, found, copies=0, overhead=0.0, free_memory=_free_memory(), free_disk=_free_disk())


def is_long(params: Params, found: Counts, running: Collection[str]) -> bool:
    """Return whether a run is so long that measuring this machine is nothing beside it."""
    pixels = 0
    if "extract_features" in running:
        pixels += amounts.extraction(params, found).total * params.extract_features.image_size**2
    for stage, settings in params.sections(Scratch).items():
        if stage in running:
            often = amounts.trainings(params, stage)
            epochs = amounts.epochs(settings, stage).likely
            images = often.tested * found.train + often.kept * found.images
            pixels += epochs * images * settings.image_size**2
    return pixels / 1e6 > _WORTH_MEASURING


def recall(params: Params, found: Counts, compute: Callable[[Params, Counts], Measured]) -> Measured:
    """Return what was measured for such settings, or else what ``compute`` gives."""
    return memo.recall("plan", _key(params, found), [], Measured, partial(compute, params, found))


def _measure(params: Params, found: Counts) -> Measured:
    # What it measures takes seconds to import.
    from headstart.planning import measuring

    return measuring.measure(params, found)


def _refuse(params: Params, found: Counts) -> Measured:
    raise _Unmeasured


def _key(params: Params, found: Counts) -> tuple[Any, ...]:
    """Everything that determines what a part of a run takes on this machine."""
    trainings = {
        name: section.model_dump(exclude={"epochs", "patience", "learning_rate"})
        for name, section in params.sections(Optimization).items()
    }
    return (
        params.precision,
        params.backbone.name,
        params.extract_features,
        params.augmentation,
        params.explain,
        trainings,
        found.classes,
        _processor(),
        os.cpu_count(),
        versions.installed(),
    )


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")), "")


def _free_disk() -> int:
    return shutil.disk_usage(Path()).free


def _free_memory() -> int:
    free = int(psutil.virtual_memory().available)
    return min(free, control_group_limit() or free)
