"""The command lines of the benchmarks: what they have in common."""

import argparse
from collections.abc import Callable
from typing import get_args

from headstart.base.precision import Setting


def parser(module: str, doc: str | None, example: str) -> argparse.ArgumentParser:
    """Return a parser that shows ``doc``, every default, and an example.

    Args:
        module: name of the benchmark.
        doc: its description; its first line is enough to choose it by.
        example: arguments that are a good start.
    """
    return argparse.ArgumentParser(
        prog=f"python -m benchmarks.{module}",
        description=doc,
        epilog=f"Example: python -m benchmarks.{module} {example}",
        formatter_class=_Formatter,
    )


def whole(least: int) -> Callable[[str], int]:
    """Return a type for argparse: a whole number, ``least`` or more."""

    def number(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"found {value}, expected {least} or more")
        return value

    return number


def add_precision(to: argparse.ArgumentParser) -> None:
    """Add ``--precision``, as params.yaml knows it."""
    to.add_argument(
        "--precision", choices=get_args(Setting), default="auto", help="arithmetic of the base; auto: the fastest"
    )


class _Formatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the description and adds defaults to the help of options."""
