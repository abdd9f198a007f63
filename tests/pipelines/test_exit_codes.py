"""Exit codes as a shell sees them; `unit/test_cli.py` has those that need no output."""

import json
from pathlib import Path

import pytest
from sample import config

from aslbatch.cli import main


@pytest.mark.usefixtures("done")
class TestCommandLine:
    def run(self, *arguments):
        with pytest.raises(SystemExit) as stopped:
            main(list(arguments))
        return stopped.value.code

    @pytest.fixture(autouse=True)
    def configuration(self, done):
        values = config().model_dump(mode="json")
        Path("job.json").write_text(json.dumps(values))  # JSON is YAML

    def test_a_finished_output_verifies_and_a_harmed_one_does_not(self, capsys):
        assert self.run("verify", "out") == 0
        victim = sorted(Path("out/data").iterdir())[0]
        victim.unlink()
        assert self.run("verify", "out") == 1
        assert f"out/data/{victim.name}: missing" in capsys.readouterr().out

    def test_another_runs_output_exits_with_4(self, capsys):
        assert self.run("translate", "job.json", "--set", "decoding.num_beams=2") == 4
        assert "config.decoding.num_beams: 4 -> 2" in capsys.readouterr().err

    def test_too_many_failed_rows_exit_with_3(self):
        Path("broken.jsonl").write_text('{"text": "Hello."}\n{"text": ')
        overrides = ["source.paths=broken.jsonl", "sink.path=other"]
        words = [word for item in overrides for word in ("--set", item)]
        assert self.run("translate", "job.json", *words) == 3
        assert self.run("retry", "other") == 3

    def test_a_dry_run_prints_the_plan_and_writes_nothing(self, capsys):
        assert self.run("translate", "job.json", "--dry-run", "--set", "sink.path=other") == 0
        shown = capsys.readouterr().out
        assert "72" in shown
        assert "GPU hours" in shown
        assert not Path("other").exists()

    def test_a_done_run_shows_pairs_again(self, capsys):
        assert self.run("translate", "job.json") == 0
        assert "Where do you live?" in capsys.readouterr().out
