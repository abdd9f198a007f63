"""From a YAML file and `--set` options to a validated configuration."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from aslbatch.config.document import Document, YamlSyntaxError, read_document
from aslbatch.config.explain import explain
from aslbatch.config.fault import Fault, render
from aslbatch.config.override import apply_overrides
from aslbatch.errors import ConfigError

ConfigT = TypeVar("ConfigT", bound=BaseModel)


def load_config(path: str | Path, model: type[ConfigT], overrides: Sequence[str] = ()) -> ConfigT:
    """Read and validate a job's configuration.

    Args:
        path: The YAML file.
        model: The configuration of the job.
        overrides: Values laid over the file, each as `section.key=value`; the value is YAML.

    Raises:
        ConfigError: If the file cannot be read, or with every fault that it and the overrides
            have: the file's by line number, then those of the overrides.
    """
    document = _read(path)
    if not isinstance(document.value, dict):
        raise ConfigError(f"{path}:1: expected sections such as `{_first_key(model)}:`")
    apply_overrides(document, overrides)
    config, found = _validate(document, model)
    faults = _distinct([*document.faults, *found], document)
    if faults or config is None:
        raise ConfigError(render(faults, document.origins, str(path)))
    return config


def is_given(path: str | Path, section: str) -> bool:
    """Return whether a configuration file has a section, to tell whose it is.

    Raises:
        ConfigError: The file cannot be read.
    """
    value = _read(path).value
    return isinstance(value, dict) and section in value


def _read(path: str | Path) -> Document:
    try:
        document = read_document(Path(path).read_text(encoding="utf-8-sig"))
    except YamlSyntaxError as error:
        place = f"{path}:{error.line}:{error.column}"
        raise ConfigError(f"{place}: not valid YAML: {error.problem}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text: {error}") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    if document.value is None:
        document.value = {}
    return document


def _first_key(model: type[BaseModel]) -> str:
    return next(iter(model.model_fields))


def _validate(document: Document, model: type[ConfigT]) -> tuple[ConfigT | None, list[Fault]]:
    try:
        return model.model_validate(document.value), []
    except ValidationError as error:
        return None, explain(error, model)


def _distinct(faults: list[Fault], document: Document) -> list[Fault]:
    """Return the first fault of each value: one that cannot be read is also of the wrong type."""
    firsts = {
        (fault.path, fault.find_origin(document.origins)): fault for fault in reversed(faults)
    }
    return [fault for fault in faults if fault in firsts.values()]
