"""Asking one by one: answers are stored as they come, every second, so that a kill costs little."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field

from aslbatch.errors import QualityAlarmError
from aslbatch.labeling.answers import Asked, Outcome, check_answers
from aslbatch.labeling.protocol import Ask, ChatTeacher, RawAnswer, Usage
from aslbatch.pipelines.label_texts import Asking

_CHUNK = 2_000
_KEPT_S = 1.0
_GROUP = 100


@dataclass(slots=True)
class ChatAsking:
    """Asks a teacher that answers at once.

    A kill loses the answers of the last second and of the requests under way; they are asked for,
    and paid for, again.

    Attributes:
        asking: What is asked for.
        teacher: Who is asked.
        ready: Checks key, model and budget before anything is asked.
    """

    asking: Asking
    teacher: ChatTeacher
    ready: Callable[[], None]
    _raw: list[RawAnswer] = field(default_factory=list)
    _group: list[Outcome] = field(default_factory=list)
    _running: dict[str, Usage] = field(default_factory=dict)
    _files: int = 0
    _halted: QualityAlarmError | None = None

    def run(self) -> None:
        """Ask until every text has a gloss or is given up.

        Raises:
            ConfigError: Key or model are refused, or it would cost too much.
            TeacherError: The budget is spent, or the service cannot be asked.
            QualityAlarmError: Answers are of no use.
        """
        self.asking.journal.answers.merge_chats()
        self._files = self.asking.journal.answers.chats()
        if self.asking.todo():
            self.ready()
        while todo := self.asking.todo():
            while todo:
                asks = self.asking.fitting(todo[:_CHUNK], Usage())
                if not asks:
                    raise self.asking.out_of_budget(len(todo))
                asyncio.run(self._ask(asks))
                todo = todo[len(asks) :]
                self.asking.journal.answers.merge_chats()

    async def _ask(self, asks: Sequence[Ask]) -> None:
        by_key = self.asking.asked(ask.source_hash for ask in asks)
        self._running = {ask.key: self.asking.budget.most(ask) for ask in asks}
        keeping = asyncio.create_task(self._keep_every_second(by_key))
        try:
            async with aclosing(
                self.teacher.answers(self._until_halted(asks), self._may_repeat)
            ) as answers:
                async for answer in answers:
                    self._raw.append(answer)
                    if len(self._raw) >= _GROUP:
                        self._keep(by_key)
                    if keeping.done():  # storage failed
                        keeping.result()
                    if len(self._group) >= _GROUP:
                        self._look()
        finally:  # what was answered before an error is paid for too
            keeping.cancel()
            with suppress(asyncio.CancelledError):
                await keeping
            self._keep(by_key)
        self._look()
        if self._halted:
            raise self._halted

    def _until_halted(self, asks: Iterable[Ask]) -> Iterator[Ask]:
        """Yield requests until the alarm goes; what is under way then is waited for: it is paid."""
        for ask in asks:
            if self._halted:
                return
            yield ask

    async def _keep_every_second(self, by_key: Mapping[str, Asked]) -> None:
        while True:
            await asyncio.sleep(_KEPT_S)
            self._keep(by_key)

    def _keep(self, by_key: Mapping[str, Asked]) -> None:
        """Store the answers that came since the last time."""
        asked = {key: by_key[key] for each in self._raw if (key := each.key) in by_key and key}
        if not asked:
            return
        checked = check_answers(asked, self._raw)
        self.asking.keep(f"chat-{self._files + 1:06d}", checked.outcomes)
        for key in asked:
            del self._running[key]
        self._files, self._raw = self._files + 1, []
        self._group += checked.outcomes
        self.asking.tell(0, "asking")

    def _may_repeat(self, ask: Ask) -> bool:
        """Reserve what a request can cost that is sent once more, if the budget allows that."""
        most = self.asking.budget.most(ask)
        running = sum(self._running.values(), Usage())
        if not self.asking.budget_beside(running).allows(most):
            return False
        self._running[ask.key] += most
        return True

    def _look(self) -> None:
        """Ask for nothing more where the last answers were of no use."""
        group, self._group = self._group, []
        try:
            self.asking.look_at(group)
        except QualityAlarmError as error:
            self._halted = self._halted or error
