"""How the sources of a job are read: what every format has to know besides the file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from aslbatch.text.normalize import NormalizeRules

SubtitleRows = Literal["cue", "turn", "sentence"]


@dataclass(frozen=True, slots=True)
class Reading:
    """How the sources of a job are read.

    Attributes:
        text_column: Name of the column to translate.
        storage_options: Passed to fsspec; the place for credentials.
        subtitle_rows: What a row of subtitles is: a cue as it stands, what one speaker says in
            it, or a sentence, which may go over several cues.
        rules: What is cleaned; sentences can only be told apart in clean text.
    """

    text_column: str = "text"
    storage_options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    subtitle_rows: SubtitleRows = "turn"
    rules: NormalizeRules = field(default_factory=NormalizeRules)
