"""The teacher behind an OpenAI-compatible chat endpoint, asked over HTTP, several requests at once.

One place decides about waiting, here and not in the client: the client would not wait longer than
8 seconds, nor as long as a service asks, and would ask an account without money again and again.
"""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from aslbatch.labeling.openai_requests import ChatRequests, read_body
from aslbatch.labeling.openai_service import (
    OpenAiService,
    is_passing,
    may_have_answered,
    openai_package,
)
from aslbatch.labeling.patience import asked_wait_s
from aslbatch.labeling.protocol import Ask, Ending, RawAnswer

if TYPE_CHECKING:
    import openai

_LONGEST_WAIT_S = 60.0


class OpenAiChat:
    """Asks a chat endpoint; see `ChatTeacher`.

    A request whose connection breaks or that runs into the timeout is sent again, and may then be
    paid for twice: no chat endpoint offers a way to know.
    """

    def __init__(
        self,
        requests: ChatRequests,
        service: OpenAiService,
        *,
        concurrency: int = 16,
        requests_per_minute: float | None = None,
    ) -> None:
        """Prepare to ask; nothing is sent.

        Args:
            requests: How requests are written.
            service: Where they go.
            concurrency: Most requests under way at once.
            requests_per_minute: Most requests sent in a minute, repeated ones too, evenly spread;
                None for no such limit.
        """
        self._requests, self._service = requests, service
        self._concurrency = concurrency
        self._interval_s = 60 / requests_per_minute if requests_per_minute else 0.0

    def __repr__(self) -> str:
        return f"OpenAiChat({self._service!r})"

    def check(self) -> None:
        """Ask whether key and model are good; see `Teacher`."""
        with self._service.client() as client:
            self._service.check(client)

    def count_tokens(self, asks: Sequence[Ask]) -> None:
        """Return None: the service does not count."""
        return

    async def answers(
        self, asks: Iterable[Ask], may_repeat: Callable[[Ask], bool]
    ) -> AsyncGenerator[RawAnswer, None]:
        """Yield the answer to each request as it comes; see `ChatTeacher`.

        Raises:
            ConfigError: The key is refused, or there is no such model, or nothing at this address.
            TeacherError: The account has no money. What is under way when either befalls a request,
                and so would all others, is waited for and yielded before.
        """
        pace = _Pace(self._interval_s)
        left, under_way = iter(asks), set[asyncio.Task[RawAnswer]]()
        async with self._service.async_client() as client:
            error: BaseException | None = None
            try:
                while True:
                    for ask in left if error is None else ():
                        under_way.add(
                            asyncio.create_task(self._answer(client, pace, ask, may_repeat))
                        )
                        if len(under_way) >= self._concurrency:
                            break
                    if not under_way and error is not None:
                        raise error
                    if not under_way:
                        return
                    done, under_way = await asyncio.wait(
                        under_way, return_when=asyncio.FIRST_COMPLETED
                    )
                    for task in done:
                        error = error or task.exception()
                        if task.exception() is None:
                            yield task.result()
            finally:
                for task in under_way:
                    task.cancel()
                await asyncio.gather(*under_way, return_exceptions=True)

    async def _answer(
        self,
        client: "openai.AsyncOpenAI",
        pace: "_Pace",
        ask: Ask,
        may_repeat: Callable[[Ask], bool],
    ) -> RawAnswer:
        """Return the answer to one request; faults that pass are waited out."""
        give_up_at = time.monotonic() + self._service.patience_s
        longest_wait, unsure = self._service.first_wait_s, 0
        while True:
            await pace.turn()
            try:
                answer = await client.chat.completions.with_raw_response.create(
                    **self._requests.body(ask)
                )
            except openai_package().OpenAIError as error:
                if self._service.is_lasting(error) and not unsure:
                    raise self._service.refusal(error) from None
                is_unsure = may_have_answered(error)
                unsure += is_unsure
                wait = max(random.uniform(0, longest_wait), asked_wait_s(error))
                is_over = not is_passing(error) or time.monotonic() + wait > give_up_at
                if is_over or (is_unsure and not may_repeat(ask)):
                    said = self._service.explain(error)
                    return RawAnswer(ask.key, Ending.ERROR, detail=said, unsure=unsure)
            else:
                found = read_body(ask.key, answer.content, self._service.hide)
                return replace(found, unsure=found.unsure + unsure)
            await asyncio.sleep(wait)
            longest_wait = min(2 * longest_wait, _LONGEST_WAIT_S)


class _Pace:
    """Gives turns that are at least an interval apart."""

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._next = 0.0

    async def turn(self) -> None:
        """Wait for the next turn."""
        if self._interval_s:
            now = time.monotonic()
            at = max(now, self._next)
            self._next = at + self._interval_s
            await asyncio.sleep(at - now)
