"""What batches and chats of OpenAI-compatible services share: the client, and what errors mean."""

import difflib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from aslbatch.errors import ConfigError, TeacherError
from aslbatch.labeling.patience import patiently
from aslbatch.labeling.secrecy import without_key
from aslbatch.provenance.uri import without_credentials
from aslbatch.storage.insist import masked

if TYPE_CHECKING:
    import openai

T = TypeVar("T")

_CHECK_PATIENCE_S = 30.0
"""Seconds for which a service may be away when a job starts; its address may just be wrong."""

_HOSTED = "https://api.openai.com/v1"
_PASSING = (408, 409, 425, 429)
_LASTING = (501, 505)
TOO_BUSY = (429, 503, 529)
"""Statuses by which a service says that it did not take a request up."""
_REFUSED = (401, 403)
_UNPAID = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active")
"""Codes of a 429 that does not pass before somebody pays."""
_LONGEST_TEXT = 300


@dataclass(frozen=True, slots=True)
class OpenAiService:
    """A service that speaks OpenAI's API.

    Attributes:
        model: The model that is asked.
        api_key: The key; None where there is none. Never shown.
        key_name: The environment variable that the key is from, for messages.
        base_url: Where the API is, as in `http://host:8000/v1`; None for `OPENAI_BASE_URL` or the
            hosted service.
        patience_s: Seconds for which a fault is waited out; of chats, the faults of one request.
        first_wait_s: The most seconds before a second try.
        timeout_s: Seconds without a byte after which a request is given up.
    """

    model: str
    api_key: str | None = field(repr=False)
    key_name: str
    base_url: str | None = field(repr=False)
    patience_s: float = 3600.0
    first_wait_s: float = 1.0
    timeout_s: float = 120.0

    @property
    def endpoint(self) -> str:
        """Where the service is, for messages."""
        return without_credentials(self.base_url or os.environ.get("OPENAI_BASE_URL") or _HOSTED)

    def client(self) -> "openai.OpenAI":
        """Return a client that tries everything once.

        Raises:
            ConfigError: There is no key, or the package is not installed.
        """
        return openai_package().OpenAI(**self._options())  # type: ignore[no-any-return]

    def async_client(self) -> "openai.AsyncOpenAI":
        """Return a client for one event loop that tries everything once; raises as `client`."""
        return openai_package().AsyncOpenAI(**self._options())  # type: ignore[no-any-return]

    def ask(self, call: Callable[[], T]) -> T:
        """Call the service until it answers; the call must not be one that costs.

        Raises:
            ConfigError: It refuses the key, or there is nothing at this address.
            TeacherError: It does not answer, for as long as `patience_s`, or refuses.
        """
        try:
            return self._patiently(call, self.patience_s)
        except (openai_package().OpenAIError, ValueError) as error:
            # Not shown as the cause: services quote keys, and so would the traceback.
            raise self.refusal(error) from None

    def check(self, client: "openai.OpenAI") -> None:
        """Ask whether key and model are good; a service that lists no models is believed.

        Raises:
            ConfigError: The key is refused, or there is no such model.
            TeacherError: The service cannot be asked.
        """
        try:
            models = self._patiently(
                lambda: [model.id for model in client.models.list()],
                min(self.patience_s, _CHECK_PATIENCE_S),
            )
        except (openai_package().OpenAIError, ValueError, AttributeError) as error:
            status = getattr(error, "status_code", None)
            if status == 404:
                return
            if status in _REFUSED:
                raise self.refusal(error) from None
            raise TeacherError(f"{self.explain(error)}; check its address") from None
        if self.model not in models:
            raise ConfigError(
                f"{self.endpoint} has no model {self.model!r}; it has {_some(models, self.model)}"
            )

    def refusal(self, error: Exception) -> ConfigError | TeacherError:
        """Return what to raise where asking is refused.

        A service that lists no models is believed by `check`, and refuses a wrong key only here.
        """
        status, said = getattr(error, "status_code", None), self.explain(error)
        if status in _REFUSED:
            return ConfigError(f"{said}; check the key in {self.key_name}")
        if status == 404:
            return ConfigError(
                f"{said}; check teacher.model, and teacher.base_url, which most often ends in /v1"
            )
        return TeacherError(said)

    def is_lasting(self, error: Exception) -> bool:
        """Return whether an error would befall every other request too."""
        status = getattr(error, "status_code", None)
        return status in (*_REFUSED, 402, 404) or getattr(error, "code", None) in _UNPAID

    def explain(self, error: Exception) -> str:
        """Return what an error of the client says, on one line and without secrets."""
        body = getattr(error, "body", None)
        said = (body.get("message") if isinstance(body, dict) else None) or error
        cause = error.__cause__
        because = f" ({type(cause).__name__}: {cause})" if cause else ""
        status = getattr(error, "status_code", None)
        how = "fails" if status is None else f"answers {status}"
        return self.masked(f"{self.endpoint} {how}: {said}{because}")

    def masked(self, text: str) -> str:
        """Return a text of the service on one line, cut, and without secrets."""
        secrets = {self.api_key} if self.api_key else ()
        return masked(" ".join(text.split()), secrets)[:_LONGEST_TEXT]

    def hide(self, text: str) -> str:
        """Return a text of the service without the key, and otherwise as it is."""
        return without_key(text, self.api_key)

    def _patiently(self, call: Callable[[], T], patience_s: float) -> T:
        return patiently(
            call, is_passing=is_passing, patience_s=patience_s, first_wait_s=self.first_wait_s
        )

    def _options(self) -> dict[str, Any]:
        if not self.api_key:
            raise ConfigError(
                f"no API key for {self.endpoint}: set the environment variable {self.key_name}"
                "; where the service wants none, to any text"
            )
        if not (self.api_key.isascii() and self.api_key.isprintable() and " " not in self.api_key):
            raise ConfigError(
                f"the API key in the environment variable {self.key_name} holds a line end, a "
                "blank or another character that no key has: set it anew"
            )
        return {
            "api_key": self.api_key,
            "base_url": self.base_url,
            "timeout": self.timeout_s,
            "max_retries": 0,
        }


def openai_package() -> ModuleType:
    """Return the package, which only labeling needs.

    Raises:
        ConfigError: It is not installed.
    """
    try:
        import openai
    except ImportError as error:
        raise ConfigError(
            f"package openai is missing ({error}): pip install 'aslbatch[teacher]'"
        ) from error
    return openai


def is_passing(error: Exception) -> bool:
    """Return whether an error passes by itself: no answer, an overload, a fault of the service."""
    status = getattr(error, "status_code", None)
    if status is None:
        return isinstance(error, openai_package().APIConnectionError)
    if getattr(error, "code", None) in _UNPAID:
        return False
    return status in _PASSING or (status >= 500 and status not in _LASTING)


def was_not_sent(error: Exception) -> bool:
    """Return whether a request surely did not get to the service: it never was connected."""
    return type(error.__cause__).__name__ in ("ConnectError", "ConnectTimeout")


def may_have_answered(error: Exception) -> bool:
    """Return whether a service may have answered, and counted, a request whose answer was lost."""
    status = getattr(error, "status_code", None)
    return status in (408, 504) or (status is None and not was_not_sent(error))


def _some(models: Sequence[str], wanted: str) -> str:
    close = difflib.get_close_matches(wanted, models, 5, cutoff=0.3) or sorted(models)[:5]
    more = f" and {len(models) - len(close)} more" if len(models) > len(close) else ""
    return ", ".join(close) + more if close else "none"
