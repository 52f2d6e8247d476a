"""Nothing loads TensorFlow by being imported: what fails early and ``--help`` don't wait for it."""

import subprocess
import sys

from tests.pipeline import ROOT

_IMPORT_ALL = """
import importlib, pathlib, sys
for file in sorted(path for folder in ("headstart", "stages") for path in pathlib.Path(folder).rglob("*.py")):
    importlib.import_module(".".join(file.with_suffix("").parts))
print({"keras", "tensorflow"} & set(sys.modules))
from headstart.base.lazy import keras, tf
keras.Model, tf.Tensor
print(sorted({"keras", "tensorflow"} & set(sys.modules)))
"""


def test_it_is_loaded_when_something_of_it_is_used() -> None:
    command = [sys.executable, "-c", _IMPORT_ALL]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["set()", "['keras', 'tensorflow']"]
