"""Credentials for the commands that are given an output folder, from the job's configuration."""

import json

import pytest
from finished_output import make_output

from aslbatch.cli import main
from aslbatch.config.credentials import storage_options
from aslbatch.errors import ConfigError

SECRET = "hunter2"


@pytest.fixture
def job(tmp_path):
    """Return the path of a configuration with storage options for source and sink."""
    values = {
        "source": {"paths": "s3://in/a.jsonl", "storage_options": {"key": "theirs"}},
        "model": {"name": "demo", "storage_options": {"token": "its"}},
        "sink": {"path": "s3://out", "storage_options": {"key": "ours", "secret": SECRET}},
    }
    path = tmp_path / "job.yaml"
    path.write_text(json.dumps(values))
    return str(path)


def run(*words):
    with pytest.raises(SystemExit) as stopped:
        main(list(words))
    return stopped.value.code


def test_storage_options_are_those_of_the_configuration_and_what_is_laid_over_it(job):
    found = storage_options(job, ["sink.storage_options.key=other"])
    assert (found.source, found.model) == ({"key": "theirs"}, {"token": "its"})
    assert found.sink == {"key": "other", "secret": SECRET}
    assert SECRET not in repr(found)


def test_without_a_configuration_there_are_none():
    assert storage_options(None).sink == {}
    with pytest.raises(ConfigError, match=r"--set sink\.storage_options\.key: needs --config"):
        storage_options(None, [f"sink.storage_options.key={SECRET}"])


@pytest.mark.parametrize("command", ["verify", "status", "retry", "compact", "export"])
def test_every_command_opens_the_output_with_them(command, job, tmp_path, monkeypatch):
    from aslbatch.cli import output_commands

    opened = []

    class Storage(output_commands.Storage):
        def __init__(self, uri, storage_options=None):
            opened.append(dict(storage_options))
            super().__init__(uri)

    monkeypatch.setattr(output_commands, "Storage", Storage)
    more = {"compact": ["--rows-per-file", "5"], "export": ["--format", "srt"]}
    assert (
        run(command, str(tmp_path), "--config", job, *more.get(command, [])) == 1
    )  # it is no output
    assert opened == [{"key": "ours", "secret": SECRET}]


def test_a_retry_has_them_in_the_place_of_those_that_were_not_written_down(job, monkeypatch):
    from aslbatch.config.load import load_config
    from aslbatch.config.resolved import resolved
    from aslbatch.config.translate import TranslateConfig
    from aslbatch.pipelines import retry as module

    recorded = resolved(load_config(job, TranslateConfig))
    asked = []

    def examine(config, *, limit):
        asked.append(config)
        raise ConfigError("that will do")

    record = {"config": recorded, "identity": {}}
    monkeypatch.setattr(module, "read_run_record", lambda storage: record)
    monkeypatch.setattr(module, "examine", examine)
    with pytest.raises(ConfigError, match="that will do"):
        module.retry(None, "s3://out", secrets=storage_options(job))
    (config,) = asked
    assert config == load_config(job, TranslateConfig)


@pytest.mark.parametrize("command", ["verify", "status"])
def test_they_are_not_printed(command, job, tmp_path, capsys):
    out = make_output(tmp_path / "out", (7, 5)).uri
    # A local disk takes what it does not know.
    assert run(command, out, "--config", job) == 0
    shown = capsys.readouterr()
    assert SECRET not in shown.out + shown.err


@pytest.mark.parametrize("command", ["verify", "status", "retry"])
def test_a_wrong_configuration_exits_with_2(command, tmp_path, capsys):
    (tmp_path / "bad.yaml").write_text("sink: {path: 3}")
    assert run(command, str(tmp_path), "--config", str(tmp_path / "bad.yaml")) == 2
    assert "bad.yaml:1: sink.path" in capsys.readouterr().err
