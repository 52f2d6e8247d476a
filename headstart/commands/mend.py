"""`headstart mend`."""

from pathlib import Path

from headstart.commands.project import Place, run

EXAMPLES = """\b
example:
  headstart mend
"""


def mend() -> None:
    """Repair what DVC left truncated when it was killed while writing.

    DVC writes its list of locks (.dvc/tmp/rwlock) and dvc.lock in place. If it is killed by `kill -9` or a power cut in
    that very moment, it refuses to work from then on. Neither file is needed: locks end with their process, and what
    had been run comes back from DVC's run cache. `make run` does this automatically. If nothing is broken, nothing
    changes.
    """

    def work(place: Place) -> int:
        from headstart.commands.truncated import remove_truncated

        for path in remove_truncated(Path()):
            print(f"{place.shown(path)}: truncated, because DVC was killed while writing it; removed, nothing is lost")
        return 0

    run(work)
