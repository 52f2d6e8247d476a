"""Commands are found in documents wherever they stand, whole, and nothing else is taken for one."""

from pathlib import Path

from tests.documents import Command, commands

DOCUMENT = """# Title

```bash
# What comes first
make run   # and why
git commit \\
    --all

cat <<END
make this
END
```

```text
accuracy  0.9
make run
```

```
dvc.yaml   the pipeline
```

```text
dvc push && \\
  dvc pull
```

Indented, in a list as well:

    $ headstart compare

- item:

  ~~~sh
  cd a; for name in b c; do
    echo $name
  done
  ~~~

`make` inline
    make no block
"""


def test_commands_are_found_with_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_text(DOCUMENT, encoding="utf-8")
    assert commands(file, "a.md") == [
        Command("a.md", 4, 5, "make run   # and why"),
        Command("a.md", 4, 6, "git commit \\\n    --all"),
        Command("a.md", 4, 9, "cat <<END\nmake this\nEND"),
        Command("a.md", 24, 24, "dvc push && \\\n  dvc pull"),
        Command("a.md", 30, 30, "headstart compare"),
        Command("a.md", 35, 35, "cd a; for name in b c; do\n  echo $name\ndone"),
    ]
    assert str(commands(file, "a.md")[0]) == "a.md:5: make run   # and why"
