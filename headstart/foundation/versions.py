"""Versions of the libraries that results depend on."""

from collections.abc import Iterable
from importlib.metadata import version

# What numbers come from. Other packages carry files and draw.
PACKAGES = ("tensorflow", "keras", "numpy", "scikit-learn", "scipy", "pandas", "pillow")
# Of these, what decodes images, computes features and trains.
LEARNING = ("tensorflow", "keras", "numpy", "pillow")


def installed(packages: Iterable[str] = LEARNING) -> dict[str, str]:
    """Return the installed version of each package."""
    return {name: version(name) for name in packages}
