"""The package: its errors against the catalogue, its stubs, the examples in its docs, its command line."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tenure
from tenure import _native

HERE = Path(__file__).parent.parent


def test_every_code_has_the_class_of_its_kind() -> None:
    kinds = set()
    for code, kind, outcome, retry in _native.catalogue():
        name = "".join(word.capitalize() for word in kind.split("_"))
        klass: Any = getattr(tenure, name)
        assert issubclass(klass, tenure.TenureError)
        assert klass.kind == kind
        assert f"`{code}`" in klass.__doc__
        assert outcome in ("refused", "not_started", "unknown")
        assert retry in ("no", "later", "with_same_request_id")
        kinds.add(name)
    classes = {c.__name__ for c in tenure.TenureError.__subclasses__()}
    assert classes == kinds
    assert issubclass(tenure.LeaseLost, tenure.Rejected)
    assert set(dir(tenure)) >= classes


def test_an_error_made_by_hand_has_the_attributes_too() -> None:
    error = tenure.Full("no room")
    assert (error.code, error.kind, error.outcome, error.retry) == ("full", "full", "refused", "later")
    assert error.details == {}


def modules() -> list[str]:
    found = ["tenure"]
    for module in pkgutil.walk_packages(tenure.__path__, "tenure."):
        if module.name != "tenure.__main__":
            found.append(module.name)
    return found


@pytest.mark.parametrize("name", modules())
def test_the_examples_of_the_docs_run(name: str) -> None:
    module = importlib.import_module(name)
    finder, runner = doctest.DocTestFinder(exclude_empty=True), doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for test in finder.find(module, module.__name__):
        runner.run(test)
    assert runner.failures == 0


# Those of the native classes are not found by themselves.
NATIVE = [tenure.Store, tenure.Held, tenure.Transaction, tenure.FakeClock]
CALLS = "add add_many claim claim_many claims renew finish fail update put increment transact watch wait_empty"


def examples() -> dict[str, str]:
    texts = {klass.__name__: klass.__doc__ or "" for klass in NATIVE}
    for klass in NATIVE:
        for name, member in vars(klass).items():
            texts[f"{klass.__name__}.{name}"] = getattr(member, "__doc__", "") or ""
    found = {name: text for name, text in texts.items() if ">>>" in text}
    missing = {klass.__name__ for klass in NATIVE} | {f"Store.{call}" for call in CALLS.split()}
    assert missing <= found.keys(), missing - found.keys()
    return found


@pytest.mark.parametrize("name", sorted(examples()))
def test_the_examples_of_the_native_classes_run(name: str) -> None:
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    runner.run(parser.get_doctest(examples()[name], {}, name, None, 0))
    assert runner.tries > 0
    assert runner.failures == 0


def test_everything_public_is_documented() -> None:
    for klass in (tenure.Store, tenure.Held, tenure.Transaction, tenure.Task, tenure.Record, tenure.FakeClock):
        assert klass.__doc__, klass
        for name, member in vars(klass).items():
            if not name.startswith("_"):
                assert member.__doc__, f"{klass.__name__}.{name}"


def test_the_stubs_are_what_is_there() -> None:
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy.stubtest", "tenure", "--mypy-config-file", str(HERE / "pyproject.toml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=HERE)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_command_line_is_the_program(tmp_path: Path) -> None:
    def tenure_(*arguments: str, code: int = 0) -> str:
        command = [sys.executable, "-m", "tenure", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        return done.stdout

    place = str(tmp_path / "s")
    tenure_("add", place, "g", "--data", "hello")
    with tenure.open(place) as store:
        task = store.claim("g")
        assert task is not None
        assert task.text() == "hello"
    assert '"held":1' in tenure_("groups", place, "--json").replace(" ", "")
    tenure_("no-such-command", code=2)


def test_the_commands_of_the_readme_run(tmp_path: Path) -> None:
    text = (HERE / "README.md").read_text()
    programs = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert programs
    for program in programs:
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=tmp_path
        )
        assert done.returncode == 0, program + done.stderr
    shell = re.findall(r"```sh\n# after installation\n(.*?)```", text, re.DOTALL)
    assert shell
    for commands in shell:
        commands = commands.replace("python -m tenure", f"{sys.executable} -m tenure")
        done = subprocess.run(["sh", "-ec", commands], capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == 0, commands + done.stderr
