"""A plan as printed in the terminal."""

from collections.abc import Sequence

from headstart.foundation.tables import aligned
from headstart.foundation.wording import count
from headstart.planning.plan import Plan, Stage

_HEAD = ("stage", "time", "at most", "memory", "disk")
_KILO = 1000


def lines(plan: Plan) -> list[str]:
    """Return the table of stages, the total, and warnings if memory or disk space won't do."""
    return [*aligned([_HEAD, *(_row(stage) for stage in plan.stages), _total(plan)]), *_notes(plan)]


def line(plan: Plan | None) -> str:
    """Return the one line that `make run` begins with; None is a short run on a machine not measured."""
    if plan is None:
        return "a few minutes; `headstart plan` measures this machine and says what each stage takes"
    likely, most = minutes(plan.seconds.likely), minutes(plan.seconds.most)
    at_most = f" (at most {most})" if most != likely else ""
    return f"about {likely}{at_most} and {size(plan.disk)} of disk on this machine; `headstart plan` shows each stage"


def minutes(seconds: float) -> str:
    """A time that is known roughly: "40 seconds", "12 minutes", "2 h 10 min"."""
    if seconds < 120:
        return f"{max(5, 5 * round(seconds / 5))} seconds"
    whole = round(seconds / 60)
    if whole < 100:
        return f"{whole} minutes"
    hours, rest = divmod(5 * round(whole / 5), 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def size(bytes_: int) -> str:
    """Bytes that are known roughly: "40 MB", "1.2 GB"."""
    megabytes = bytes_ / 1e6
    if megabytes < 0.95:
        return "< 1 MB"
    return f"{megabytes / _KILO:.1f} GB" if megabytes >= 950 else f"{megabytes:.0f} MB"


def _row(stage: Stage) -> tuple[str, ...]:
    if not stage.runs:
        return stage.name, "up to date", "", "", ""
    likely, most = minutes(stage.seconds.likely), minutes(stage.seconds.most)
    return stage.name, likely, most if most != likely else "", size(stage.memory), size(stage.disk)


def _total(plan: Plan) -> tuple[str, ...]:
    if not plan.running:
        return "total", "nothing to run", "", "", ""
    likely, most = minutes(plan.seconds.likely), minutes(plan.seconds.most)
    return "total", likely, most if most != likely else "", size(plan.memory), size(plan.disk)


def _notes(plan: Plan) -> Sequence[str]:
    counts = plan.counts
    notes = [
        f"for {count(counts.images, 'image')} of {counts.classes} classes: "
        f"{counts.train:,} train, {counts.validation:,} validation, {counts.test:,} test"
    ]
    if plan.copies:
        notes.append(f"disk: {size(plan.copies)} of the total are DVC's cache, which holds a copy of every output")
    if counts.download:
        notes.append(f"and {size(counts.download)} are downloaded first")
    if plan.memory > plan.free_memory:
        notes.append(
            f"memory: {size(plan.memory)} are needed and {size(plan.free_memory)} are free: "
            "close programs, or lower batch_size or image_size in params.yaml"
        )
    if plan.disk > plan.free_disk:
        notes.append(
            f"disk: {size(plan.disk)} are needed and {size(plan.free_disk)} are free: "
            "free some space, or lower extract_features.views in params.yaml"
        )
    return notes
