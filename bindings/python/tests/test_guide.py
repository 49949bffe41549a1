"""The guide: its Python programs run as they stand and print what stands behind them, and so do its shell commands."""

from __future__ import annotations

import fnmatch
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[3] / "docs" / "guide"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```\n", re.DOTALL | re.MULTILINE)


def programs() -> Iterator[tuple[str, str, str | None, str]]:
    """Name, text, the output where it is given, and the commands in the same section, of each program."""
    for page in sorted(GUIDE.glob("*.md")):
        for section in page.read_text().split("\n## "):
            title = section.splitlines()[0].strip("# ")
            blocks = BLOCK.findall(section)
            for at, (language, text) in enumerate(blocks):
                after, output = blocks[at + 1] if at + 1 < len(blocks) else ("", "")
                if language == "python":
                    shell = "".join(text for language, text in blocks[at:] if language == "sh")
                    yield f"{page.stem}: {title}", text, output if after == "text" else None, shell


FOUND = list(programs())


def test_the_guide_has_the_six_commonest_programs() -> None:
    titles = [name for name, _, output, _ in FOUND if name.startswith("python: ") and output]
    assert len(titles) >= 6


@pytest.mark.parametrize(
    ("text", "output", "shell"), [program[1:] for program in FOUND], ids=[name for name, *_ in FOUND]
)
def test_a_program_of_the_guide_runs(text: str, output: str | None, shell: str, tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", text]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=60)
    assert done.returncode == 0, done.stderr
    if output is not None:
        # An ellipsis stands for anything.
        pattern = re.sub(r"[\[\]?*]", lambda found: f"[{found.group()}]", output).replace("…", "*")
        assert fnmatch.fnmatchcase(done.stdout, pattern), done.stdout
    if shell:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        command = ["sh", "-euc", shell]
        environment = {**os.environ, "PATH": path}
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
        assert done.returncode == 0, done.stderr
