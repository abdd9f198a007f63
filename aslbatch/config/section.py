"""What every section of every configuration has in common."""

import re
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    model_validator,
)

from aslbatch.provenance.uri import PASSWORD_IN_URL

# Chained URLs hold several; Azure writes its containers before an @.
_USER_IN_URL = re.compile(r"(?:^|::)(?!abfss?:|az:)[a-z0-9+.-]+://[^/@]*@", re.IGNORECASE)
_QUERY_IN_URL = re.compile(r"://.*\?[^/]*=")


class Section(BaseModel):
    """A frozen group of keys that refuses unknown ones and converts nothing silently.

    A section whose keys are all commented out reads as null in YAML and stands for its defaults.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _read_null_as_empty(cls, data: object) -> object:
        return {} if data is None else data


def is_secret_location(location: str) -> bool:
    """Return whether a path or URL holds a password or a signature."""
    return any(p.search(location) for p in (_USER_IN_URL, PASSWORD_IN_URL, _QUERY_IN_URL))


def _without_password(location: str) -> str:
    if is_secret_location(location):
        raise ValueError(
            "holds a password or a signature; move it to storage_options, which are never logged"
        )
    return location


Text = Annotated[str, Field(min_length=1)]

Location = Annotated[Text, AfterValidator(_without_password)]
"""A local path or an fsspec URL. Both are logged, so neither may carry a password."""

_PathList = Annotated[list[Location], Field(min_length=1)]


def _as_list(paths: object) -> object:
    return [paths] if isinstance(paths, str) else paths


Paths = Annotated[_PathList, BeforeValidator(_as_list, json_schema_input_type=Location | _PathList)]
"""One location, or a list of them."""

StorageOptions = dict[str, JsonValue]
"""Keyword arguments of an fsspec file system. Their values are secrets and never shown."""


def _as_texts(ids: object) -> object:
    if not isinstance(ids, list):
        return ids
    return [
        str(each) if isinstance(each, int) and not isinstance(each, bool) else each for each in ids
    ]


Ids = Annotated[list[Text], BeforeValidator(_as_texts, json_schema_input_type=list[Text | int])]
"""Names of rows; numbers need no quotes."""


def _plain_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_]+", name):
        raise ValueError(f"{name} has other characters than letters, digits and underscores")
    return name


SplitName = Annotated[Text, AfterValidator(_plain_name)]
"""A part of a data set, such as train; it becomes the name of a file."""

AutoOrCount = Literal["auto"] | Annotated[int, Field(ge=1)]

AutoOrSwitch = Literal["auto"] | bool
