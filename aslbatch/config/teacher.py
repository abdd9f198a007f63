"""The section of a configuration that says which teacher is asked; no key gets into it."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from aslbatch.config.section import Section, Text, is_secret_location

_KEYS = {"gemini": "GEMINI_API_KEY", "openai_batch": "OPENAI_API_KEY", "chat": "OPENAI_API_KEY"}
_VLLM = ["vllm", "run-batch", "-i", "{input}", "-o", "{output}", "--model", "{model}"]

_SECRETS = re.compile(r"(--(?:hf[-_]token|api[-_]key)\b|\w*(?:TOKEN|KEY|SECRET|PASSWORD)=)")


def _name_not_key(name: str) -> str:
    if not re.fullmatch(r"[A-Z_][A-Z0-9_]*", name):
        raise ValueError(
            "is no name of an environment variable, in capitals, such as GEMINI_API_KEY; the key "
            "itself must not stand in a configuration"
        )
    return name


def _without_secrets(command: list[str]) -> list[str]:
    """Refuse what takes secrets: the command is recorded in the output."""
    if found := _SECRETS.search(" ".join(command)):
        raise ValueError(
            f"has {found[0].rstrip('=')}; commands are recorded, so put secrets into the "
            f"environment, such as HF_TOKEN"
        )
    return command


def _without_password(url: str) -> str:
    if is_secret_location(url):
        raise ValueError(
            "holds a password or a signature, and is recorded; the key is what api_key_env names"
        )
    return url


Url = Annotated[Text, AfterValidator(_without_password)]

KeyName = Annotated[str, AfterValidator(_name_not_key)]
"""Name of an environment variable; what is none may be the key itself, and is never shown."""

Command = Annotated[list[Text], Field(min_length=1), AfterValidator(_without_secrets)]


class TeacherSection(Section):
    """Who is asked for glosses."""

    kind: Literal["gemini", "openai_batch", "vllm", "chat"] = Field(
        description="Gemini's batches, batches as OpenAI's, `vllm run-batch`, or chat completions."
    )
    model: Text = Field(description="The model, as the service names it.")
    base_url: Url | None = Field(
        default=None, description="Where the service is, null for the provider's own."
    )
    api_key_env: KeyName | None = Field(
        default=None,
        description="Environment variable that holds the key; null for the provider's usual one.",
    )
    temperature: Annotated[float, Field(ge=0)] | None = Field(
        default=None, description="Sharpness of sampling, null for the service's default."
    )
    max_output_tokens: int = Field(
        default=1_024, ge=16, description="Most tokens of an answer, thoughts included."
    )
    command: Command = Field(
        default=_VLLM, description="What runs a file of requests, for kind vllm."
    )

    @property
    def key_name(self) -> str | None:
        """The environment variable of the key, None where none is needed."""
        return self.api_key_env or _KEYS.get(self.kind)
