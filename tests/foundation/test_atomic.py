"""Whatever happens while a file is written, what is there afterwards is whole."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from headstart.foundation.atomic import replacing, replacing_folder, write_json, write_text

ROOT = Path(__file__).parents[2]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_once_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.json"
    with replacing(path) as temporary:
        assert temporary.parent == path.parent
        assert temporary.suffix == ".json"
        temporary.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert names(path.parent) == ["a.json"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_error_leaves_what_was_there(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def write() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(error):
        write()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_leaves_the_folder_that_was_there(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "model"
    path.mkdir()
    (path / "old").write_text("old")

    def write() -> None:
        with replacing_folder(path) as temporary:
            (temporary / "new").write_text("half")
            raise error

    with pytest.raises(error):
        write()
    assert names(tmp_path) == ["model"]
    assert names(path) == ["old"]


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "models" / "head"
    for name in ("one", "two"):
        with replacing_folder(path) as temporary:
            (temporary / name).write_text(name)
        assert names(path) == [name]
    assert names(path.parent) == ["head"]


def test_what_a_killed_run_left_is_overwritten(tmp_path: Path) -> None:
    """Nothing of the killed run's half file or folder may come into the next one."""
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from headstart.foundation.atomic import replacing, replacing_folder\n"
        "with replacing(Path(sys.argv[1], 'a.txt')) as file, replacing_folder(Path(sys.argv[1], 'b')) as folder:\n"
        "    file.write_text('half' * 1000)\n"
        "    (folder / 'half').write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert names(tmp_path) == [".a.partial.txt", ".b.partial"]
    write_text(tmp_path / "a.txt", "whole")
    with replacing_folder(tmp_path / "b") as folder:
        (folder / "whole").write_text("whole")
    assert names(tmp_path) == ["a.txt", "b"]
    assert (tmp_path / "a.txt").read_text() == "whole"
    assert names(tmp_path / "b") == ["whole"]


def test_text_is_utf_8_with_unix_line_ends(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "é\n×\n")
    assert (tmp_path / "a.txt").read_bytes() == "é\n×\n".encode()


def test_json_is_for_people_too(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"zebra": 1, "äpfel": [0.5, None]})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == (
        '{\n  "zebra": 1,\n  "äpfel": [\n    0.5,\n    null\n  ]\n}\n'
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_no_json_is_refused(tmp_path: Path, value: float) -> None:
    write_json(tmp_path / "a.json", {"a": 1.0})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"a": value})
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": 1.0}
    assert names(tmp_path) == ["a.json"]


def test_a_block_that_writes_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "a.txt"):
        pass
    assert names(tmp_path) == []


def test_file_rights_are_those_of_any_new_file(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "a")
    (tmp_path / "b.txt").write_text("b")
    assert os.stat(tmp_path / "a.txt").st_mode == os.stat(tmp_path / "b.txt").st_mode
