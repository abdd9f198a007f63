"""The command line: exit codes, help, and errors without tracebacks."""

import json
import subprocess
import sys

import pytest

from aslbatch.cli import main

FIVE_FAULTS = """\
source:
  paths: a.txt
  format: docx
model:
  name: demo
  precison: float32
decoding:
  num_beams: four
  max_length: 1
sink:
  path: out
run:
  max_failed_rows: 2
"""


def run(*arguments):
    with pytest.raises(SystemExit) as stopped:
        main(list(arguments))
    return stopped.value.code


def test_five_faults_print_five_lines_and_exit_with_2(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.yaml").write_text(FIVE_FAULTS)
    assert run("translate", "bad.yaml") == 2
    lines = capsys.readouterr().err.removeprefix("error ").strip().splitlines()
    assert [line.split(": ")[0] for line in lines] == [
        "bad.yaml:3", "bad.yaml:6", "bad.yaml:8", "bad.yaml:9", "bad.yaml:13",
    ]  # fmt: skip


def test_a_missing_configuration_exits_with_2(capsys):
    assert run("translate", "nowhere.yaml") == 2
    assert "nowhere.yaml" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["translate"], ["nosuch"], ["translate", "a.yaml", "--nosuch"]]
)
def test_a_wrong_command_line_exits_with_2(arguments):
    assert run(*arguments) == 2


def test_an_expected_error_prints_no_traceback(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_text(
        "source: {paths: nowhere.txt}\nmodel: {name: demo}\nsink: {path: out}\n"
    )
    assert run("translate", "a.yaml") == 1
    shown = capsys.readouterr()
    assert "nowhere.txt" in shown.err
    assert "Traceback" not in shown.err + shown.out
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["verify", "status", "retry"])
def test_tools_say_when_a_folder_is_no_output(command, tmp_path, capsys):
    assert run(command, str(tmp_path)) == 1
    assert str(tmp_path) in capsys.readouterr().err


def test_the_schema_is_json_and_describes_every_key(capsys):
    assert run("schema") == 0
    schema = json.loads(capsys.readouterr().out)["translate"]
    assert {"source", "languages", "model", "decoding", "sink", "run"} <= set(schema["properties"])


def test_the_version_is_printed(capsys):
    assert run("--version") == 0
    assert capsys.readouterr().out.strip()


@pytest.mark.parametrize("module", ["ray", "torch", "transformers"])
def test_help_does_not_load_what_is_heavy(module):
    code = (
        "import sys; from aslbatch.cli import main\n"
        "try: main(['--help'])\n"
        f"except SystemExit: sys.exit({module!r} in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 0, f"aslbatch --help imports {module}"


@pytest.mark.parametrize(("words", "code"), [(["--version"], 0), (["nosuch"], 2)])
def test_the_process_ends_with_the_code_and_all_output(words, code):
    command = f"from aslbatch.cli import run; run({words})"
    done = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, check=False
    )
    assert done.returncode == code
    assert (done.stdout or done.stderr).strip()


def test_the_job_module_is_the_same_command(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "jobs.translate", "nowhere.yaml"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "nowhere.yaml" in done.stderr
