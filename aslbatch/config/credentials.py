"""The storage options of a job, for commands that are given its output folder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aslbatch.config.load import is_given, load_config
from aslbatch.config.pseudogloss import PseudoglossConfig
from aslbatch.config.score import ScoreConfig
from aslbatch.config.translate import TranslateConfig
from aslbatch.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Secrets:
    """Storage options, which an output folder does not hold.

    Attributes:
        source: Those of the sources' file system.
        model: Those of the model's, or of a teacher's prompt.
        sink: Those of the output's.
    """

    source: Mapping[str, Any] = field(default_factory=dict, repr=False)
    model: Mapping[str, Any] = field(default_factory=dict, repr=False)
    sink: Mapping[str, Any] = field(default_factory=dict, repr=False)


def storage_options(path: str | None, overrides: Sequence[str] = ()) -> Secrets:
    """Return the storage options of a job's configuration, none where there is no configuration.

    Args:
        path: The YAML file, or None.
        overrides: Values laid over it.

    Raises:
        ConfigError: The configuration is wrong, or there are overrides but no configuration.
    """
    if path is None:
        if overrides:
            raise ConfigError(f"--set {overrides[0].partition('=')[0]}: needs --config CONFIG")
        return Secrets()
    config: TranslateConfig | ScoreConfig
    if is_given(path, "pairs"):
        config = load_config(path, ScoreConfig, overrides)
        source = config.pairs.storage_options
    elif is_given(path, "teacher"):
        labeling = load_config(path, PseudoglossConfig, overrides)
        return Secrets(
            source=labeling.source.storage_options,
            model=labeling.prompt.storage_options,
            sink=labeling.sink.storage_options,
        )
    else:
        config = load_config(path, TranslateConfig, overrides)
        source = config.source.storage_options
    return Secrets(
        source=source,
        model=config.model.storage_options,
        sink=config.sink.storage_options,
    )
