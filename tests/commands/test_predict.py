"""Every file that is named gets one line: what the winner sees in it, or why it can't be used."""

import codecs
import contextlib
import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headstart.deploying import inputs
from headstart.deploying.predicting import Answers, predict
from headstart.foundation import paths
from headstart.foundation.errors import InputError
from headstart.models.description import Description, describe
from headstart.models.strategies import STRATEGIES
from headstart.scoring import predictions
from tests import hostile
from tests.command import PROJECT, headstart, make_project
from tests.hostile import hostile_folder
from tests.pictures import encode, fill, jpeg, pixels
from tests.pipeline import CLASSES, Finished

pytest_plugins = ["tests.pipeline_fixtures"]

COLUMNS = ["path", "predicted", "probability", "problem", "heat_map", *(f"probability of {name}" for name in CLASSES)]
FILES = 1000


def said(*files: str | Path, strategy: str | None = None, **wanted: Any) -> int:
    """What the command's exit code is; the answers are in said.csv unless they are wanted elsewhere."""
    answers = Answers(**{"output": Path("said.csv"), **wanted})
    return predict([Path(file) for file in files], strategy, answers)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def check_answer(row: dict[str, str]) -> None:
    """An answer: the predicted class is the likeliest, its probability stands beside it, all sum to 1."""
    shares = [float(row[f"probability of {name}"]) for name in CLASSES]
    assert sum(shares) == pytest.approx(1, abs=1e-8)
    assert row["predicted"] == CLASSES[int(np.argmax(shares))]
    assert float(row["probability"]) == max(shares)


def test_a_thousand_files_good_and_bad_are_all_accounted_for(
    pipeline: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "mixed"
    with hostile_folder(root) as reasons:
        good, bad = set(hostile.images()), dict(reasons)
        for number in range(FILES - len(good) - len(bad)):
            name = f"more/{number % 7}/{number}.jpg"
            if number % 2:
                fill(root, {name: jpeg(number)})
                good.add(name)
            else:
                fill(root, {name: encode(pixels(number, 40, 60))[: -20 - number % 50]})
                bad[name] = "truncated JPEG"
        with contextlib.chdir(pipeline):
            code = said(root, output=tmp_path / "said.csv")
    found = {row["path"].removeprefix(f"{root}/"): row for row in rows(tmp_path / "said.csv")}
    assert len(rows(tmp_path / "said.csv")) == len(found) == len(good) + len(bad) == FILES
    assert {name: row["problem"] for name, row in found.items() if name not in good} == bad
    for name, row in found.items():
        assert list(row) == COLUMNS
        if name in good:
            assert row["problem"] == ""
            check_answer(row)
        else:
            assert {row[column] for column in COLUMNS if column not in ("path", "problem")} == {""}
    assert code == 1
    stdout, stderr = capfd.readouterr()
    assert stdout == ""
    assert f"1,000 files: {len(good)} predicted (3 hidden skipped)\n{len(bad)} could not be used" in stderr
    assert "× truncated JPEG, such as '" in stderr
    assert "\\udcff" in (tmp_path / "said.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [None, *STRATEGIES])
def test_of_test_images_it_says_what_the_evaluation_said(pipeline: Path, name: str | None) -> None:
    evaluated = predictions.read(paths.METRICS / (name or describe(paths.WINNER).strategy) / "predictions.csv")
    files = [paths.PREPARED / image for image in evaluated.images]
    assert said(*files, strategy=name) == 0
    found = rows(Path("said.csv"))
    assert [row["path"] for row in found] == [str(file) for file in files]
    shares = [[float(row[f"probability of {of_class}"]) for of_class in CLASSES] for row in found]
    np.testing.assert_allclose(shares, evaluated.probabilities, rtol=0, atol=2 * 10.0**-predictions.DECIMALS)


def test_the_output_goes_where_a_link_leads_to(pipeline: Path) -> None:
    fill(Path("pets"), {"1.jpg": jpeg(1)})
    Path("link.csv").symlink_to("elsewhere/said.csv")
    assert said("pets", output=Path("link.csv")) == 0
    assert Path("link.csv").is_symlink()
    assert [row["path"] for row in rows(Path("elsewhere/said.csv"))] == ["pets/1.jpg"]


def test_json_says_the_same(pipeline: Path) -> None:
    fill(Path("pets"), {"1.jpg": jpeg(1), "notes.txt": b"notes"})
    for form in ("csv", "json"):
        assert said("pets", form=form, output=Path(f"said.{form}")) == 1
    good, bad = json.loads(Path("said.json").read_text(encoding="utf-8"))
    row, refused = rows(Path("said.csv"))
    assert {name: str(good[name]) for name in ("path", "predicted", "probability")} == {
        name: row[name] for name in ("path", "predicted", "probability")
    }
    assert list(good["probabilities"]) == list(CLASSES)
    assert bad["problem"] == refused["problem"] == "text: not supported"
    assert bad["probabilities"] is bad["predicted"] is bad["probability"] is good["problem"] is None


def test_without_an_output_stdout_holds_the_table_alone(pipeline: Path, capfd: pytest.CaptureFixture[str]) -> None:
    fill(Path("pets"), {f"{number}.jpg": jpeg(number) for number in range(40)})
    assert said("pets") == 0
    capfd.readouterr()
    assert said("pets", output=None) == 0
    stdout, stderr = capfd.readouterr()
    assert codecs.BOM_UTF8 + stdout.encode() == Path("said.csv").read_bytes(), "only a file has the mark"
    assert stderr.endswith("40 files: 40 predicted\n")


def test_heat_maps_on_request(pipeline: Path) -> None:
    fill(Path("pets"), {"cat/1.jpg": jpeg(1), "dog/1.jpg": jpeg(2), "notes.txt": b"notes"})
    assert said("pets", strategy="finetune") == 1
    plain = rows(Path("said.csv"))
    assert said("pets", strategy="finetune", heat_maps=Path("maps")) == 1
    found = rows(Path("said.csv"))
    drawn = [row.pop("heat_map") for row in found]
    assert found == [{name: value for name, value in row.items() if name != "heat_map"} for row in plain]
    assert [bool(path) for path in drawn] == [bool(row["predicted"]) for row in found]
    assert {Path(path) for path in drawn if path} == set(Path("maps").iterdir())
    assert len(set(Path("maps").iterdir())) == 2


def test_classes_of_any_name_come_through(pipeline: Path) -> None:
    names = ["=cmd()", "a\rb,\n\"'", "nan"]
    described = describe(paths.WINNER).model_copy(update={"classes": names})
    (paths.WINNER / "model.json").unlink()  # a hard link
    (paths.WINNER / "model.json").write_text(described.model_dump_json(), encoding="utf-8")
    fill(Path("pets"), {"1.jpg": jpeg(1)})
    said("pets")
    said("pets", form="json", output=Path("said.json"))
    assert not Path("said.json").read_bytes().startswith(codecs.BOM_UTF8), "JSON must not begin with the mark"
    (row,) = rows(Path("said.csv"))
    assert list(row)[-3:] == [f"probability of {name}" for name in names]
    assert row["predicted"] in names
    (told_as_json,) = json.loads(Path("said.json").read_text(encoding="utf-8"))
    assert list(told_as_json["probabilities"]) == names


def test_the_output_is_written_whole_or_not_at_all(pipeline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> bytes:
        raise KeyboardInterrupt

    found = inputs.gather([paths.PREPARED / "test"])
    files = [*found.files[:8], found.files[8]._replace(read=interrupted)]
    monkeypatch.setattr(inputs, "gather", lambda _: found._replace(files=files))
    monkeypatch.setattr(Description, "batch_size", 4)
    Path("said.csv").write_text("before", encoding="utf-8")
    with pytest.raises(KeyboardInterrupt):
        said("pets")
    assert Path("said.csv").read_text(encoding="utf-8") == "before"
    assert not list(Path().glob(".*partial*"))


@pytest.mark.parametrize(
    ("files", "wanted", "message"),
    [
        (
            ["pets"],
            {"output": Path("pets")},
            r"^--output: pets: not a regular file: name one, or leave it out",
        ),
        (["pets"], {"output": Path("/dev/null")}, r"^--output: /dev/null: not a regular file: "),
        (["pets"], {"heat_maps": Path("params.yaml")}, r"^--heat-maps: params.yaml: a file, expected"),
        (["empty", "empty"], {}, r"^no files in empty, empty: name images or folders$"),
        (["hidden"], {}, r"^no files in hidden \(1 hidden skipped\): name images or folders$"),
    ],
)
def test_what_can_not_be_done_is_told_at_once(
    pipeline: Path, files: list[str], wanted: dict[str, Path], message: str
) -> None:
    Path("empty").mkdir()
    fill(Path(), {"pets/1.jpg": jpeg(1), "hidden/.DS_Store": b"x"})
    with pytest.raises(InputError, match=message):
        said(*files, strategy="head", **wanted)


def test_as_a_command_with_nothing_but_the_winner(finished: Finished, tmp_path: Path) -> None:
    """As after `dvc pull models/winner` in a fresh clone; on a terminal that can't show every name."""
    project = make_project(tmp_path)
    shutil.copytree(finished.folder / paths.WINNER, project / paths.WINNER)
    fill(project / "pets", {"\U0001f431.jpg": jpeg(1), "new\nline.jpg": jpeg(2), "notes.txt": b"notes"})
    done = headstart(project, "predict", "pets", PYTHONIOENCODING="ascii")
    assert done.returncode == 1
    found = list(csv.DictReader(done.stdout.splitlines(keepends=True)))
    assert [row["path"] for row in found] == ["pets/new\nline.jpg", "pets/notes.txt", "pets/\U0001f431.jpg"]
    assert done.stderr.splitlines()[-3:] == [
        "3 files: 2 predicted",
        "1 could not be used as images:",
        r"  1 \xd7 text: not supported, such as 'pets/notes.txt'",
    ]


def test_paths_are_as_they_are_seen_from_where_the_user_is(pipeline: Path, tmp_path: Path) -> None:
    fill(pipeline, PROJECT)
    below = fill(pipeline / "a" / "b", {"pets/1.jpg": jpeg(1), "../2.jpg": jpeg(2)})
    outside = fill(tmp_path / "elsewhere", {"3.jpg": jpeg(3)})
    wanted = ["--output", "said.csv", "--heat-maps", "maps", "--strategy", "finetune"]
    done = headstart(below, "predict", "pets", "../2.jpg", str(outside), *wanted)
    assert done.returncode == 0, done.stderr
    found = rows(below / "said.csv")
    assert [row["path"] for row in found] == ["pets/1.jpg", "../2.jpg", f"{outside}/3.jpg"]
    assert all((below / row["heat_map"]).is_file() for row in found)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pets"], "error: models/winner: no model there: run `dvc repro`, or `dvc pull models/winner`\n"),
        (["pets", "--strategy", "none"], "Error: Invalid value for '--strategy': "),
        ([], "Error: Missing argument 'IMAGE_OR_FOLDER'.\n"),
    ],
)
def test_where_nothing_was_predicted_the_exit_code_is_2(tmp_path: Path, arguments: list[str], message: str) -> None:
    done = headstart(make_project(tmp_path), "predict", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stdout == ""
