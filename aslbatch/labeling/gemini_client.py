"""Talking to Gemini through google-genai: patiently, and with errors that a user understands."""

import os
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from aslbatch.errors import ConfigError, TeacherError
from aslbatch.labeling.gemini_faults import (
    is_of_service,
    is_passing,
    is_refusal_of_key,
    reason_of,
    status_of,
)
from aslbatch.labeling.patience import patiently
from aslbatch.labeling.secrecy import without_key
from aslbatch.provenance.uri import without_credentials
from aslbatch.storage.insist import masked

if TYPE_CHECKING:
    from google.genai import Client

T = TypeVar("T")

_PUBLIC_URL = "https://generativelanguage.googleapis.com"
_TIMEOUT_S = 120
"""For one request, or one piece of a file; without it the client would wait for ever."""
_CHECK_PATIENCE_S = 60.0
_LONGEST_REASON = 300


class GeminiClient:
    """The client of google-genai with what is needed to ask it safely.

    Nothing of it shows the key: no message, no error, no representation.

    Args:
        api_key: The key; None or blank is only noticed when `api` is first needed.
        key_name: The environment variable that holds the key, for messages.
        base_url: Where the service is; None for the public one, or `GOOGLE_GEMINI_BASE_URL`.
        patience_s: Seconds for which passing faults are waited out.
        first_wait_s: The most seconds before a call is repeated the first time.
    """

    def __init__(
        self,
        *,
        api_key: str | None,
        key_name: str,
        base_url: str | None,
        patience_s: float,
        first_wait_s: float,
    ) -> None:
        self._api_key = (api_key or "").strip()
        self._key_name = key_name
        self._base_url = base_url
        url = base_url or os.environ.get("GOOGLE_GEMINI_BASE_URL") or _PUBLIC_URL
        self.endpoint = without_credentials(url)
        self._patience_s, self._first_wait_s = patience_s, first_wait_s

    @cached_property
    def api(self) -> "Client":
        """The client itself; of the environment it takes a URL and proxies, but no key.

        Raises:
            ConfigError: The package is not installed, or there is no key.
        """
        try:
            from google import genai
            from google.genai.types import HttpOptions
        except ImportError as error:
            raise ConfigError(
                "Gemini is asked through google-genai, which is not installed: "
                "pip install 'aslbatch[teacher]'"
            ) from error
        if not self._api_key:
            raise ConfigError(
                f"{self._key_name} is not set; put an API key for {self.endpoint} into this "
                "environment variable"
            )
        if not self._api_key.isascii() or not self._api_key.isprintable():
            # The client would complain too, and show the key.
            raise ConfigError(
                f"{self._key_name} holds characters that no API key for {self.endpoint} has; "
                "copy the key into this environment variable again"
            )
        options = HttpOptions(base_url=self._base_url, timeout=_TIMEOUT_S * 1_000)
        return genai.Client(vertexai=False, api_key=self._api_key, http_options=options)

    def check(self, model: str) -> None:
        """Ask for a model, for at most a minute, since a person waits for the answer.

        Raises:
            ConfigError: The key is missing or refused, or there is no such model.
            TeacherError: The service cannot be asked.
        """
        api = self.api
        patience_s = min(self._patience_s, _CHECK_PATIENCE_S)
        try:
            self._waiting_out(lambda: api.models.get(model=model), patience_s)
        except Exception as error:
            if not is_of_service(error):
                raise
            raise self._fault_of_check(model, error) from self.unless_telling(error)

    def ask(self, what: str, call: Callable[[], T]) -> T:
        """Call the service patiently.

        Args:
            what: What the service does not do, should there be an error.
            call: Calls the service, and may do so more than once.

        Raises:
            TeacherError: It did not work, or not in time.
        """
        try:
            return self._waiting_out(call, self._patience_s)
        except Exception as error:
            if not is_of_service(error):
                raise
            raise TeacherError(self.said(what, error)) from self.unless_telling(error)

    def said(self, what: str, error: Exception) -> str:
        """Return a message of one line on what the service does not do, and what it said."""
        reason = self.hide(reason_of(error))[:_LONGEST_REASON].rstrip(". ")
        return f"Gemini at {self.endpoint} {what}: {reason}"

    def hide(self, text: str) -> str:
        """Return a text without the key and without credentials of URLs."""
        return masked(text, {self._api_key} - {""})

    def hide_key(self, text: str) -> str:
        """Return a text without the key, and otherwise as it is."""
        return without_key(text, self._api_key)

    def unless_telling(self, error: Exception) -> Exception | None:
        """Return an error for a traceback to show, unless it tells the key."""
        seen: list[BaseException] = []
        link: BaseException | None = error
        while link is not None and link not in seen:
            seen.append(link)
            link = link.__cause__ or link.__context__
        return None if any(self.hide(str(link)) != str(link) for link in seen) else error

    def _waiting_out(self, call: Callable[[], T], patience_s: float) -> T:
        return patiently(
            call, is_passing=is_passing, patience_s=patience_s, first_wait_s=self._first_wait_s
        )

    def _fault_of_check(self, model: str, error: Exception) -> ConfigError | TeacherError:
        if is_refusal_of_key(error):
            remedy = f"; put a valid one into the environment variable {self._key_name}"
            return ConfigError(self.said("does not let the API key in", error) + remedy)
        if status_of(error) == 404:
            remedy = "; https://ai.google.dev/gemini-api/docs/models lists those there are"
            return ConfigError(self.said(f"has no model {model!r}", error) + remedy)
        return TeacherError(self.said(f"does not tell of the model {model!r}", error))
