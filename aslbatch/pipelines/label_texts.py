"""The texts that a teacher is asked for, and what becomes of them, however it is asked."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from aslbatch.errors import TeacherError
from aslbatch.labeling.answers import Asked, Outcome
from aslbatch.labeling.cost import Budget, Prices
from aslbatch.labeling.prompt import Prompt
from aslbatch.labeling.protocol import Ask, Usage
from aslbatch.pipelines.label_alarm import UsableAnswers
from aslbatch.pipelines.label_journal import Job, Journal
from aslbatch.pipelines.label_standing import Standing
from aslbatch.schema import RejectReason

UNKNOWN_PRICES = Prices(0.0, 0.0, "")
"""Where the configuration has none: nothing is known to cost anything, and no limit can be set."""


Texts = Mapping[str, tuple[str, str]]
"""What to ask for: `source_hash` to the key of its request, and the text."""


@dataclass(frozen=True, slots=True)
class LabelProgress:
    """How far the asking is.

    Attributes:
        texts: Texts to gloss.
        glossed: Those that have a gloss.
        failed: Those whose last answer was of no use.
        jobs: Batch jobs under way.
        spent: What the answers so far cost; None without prices.
        state: What is being done or waited for.
    """

    texts: int
    glossed: int
    failed: int
    jobs: int
    spent: Decimal | None
    state: str


@dataclass(slots=True)
class Asking:
    """What both ways to ask need.

    Attributes:
        run_id: The run.
        texts: What to ask for: `source_hash` to the key of its request, and the text.
        corpus: Those that rows of the run have.
        wanted: Those that may be asked for.
        prompt: How it is asked.
        journal: Where requests and answers are kept.
        standing: How each text stands; grows.
        budget: What it may cost; estimates get better once the service has counted.
        max_attempts: Attempts after which a text is given up.
        tried: Attempts of each text, by `source_hash`, that do not count: of an earlier job.
        alarm: Halts where answers are of no use.
        show: Is told how far it is.
    """

    run_id: str
    texts: Texts
    corpus: Sequence[str]
    wanted: Sequence[str]
    prompt: Prompt
    journal: Journal
    standing: Standing
    budget: Budget
    max_attempts: int
    tried: Mapping[str, int]
    alarm: UsableAnswers
    show: Callable[[LabelProgress], None]

    def ask(self, name: str) -> Ask:
        """Return the request for a text."""
        return self._prompted(name)[0]

    def examples(self, name: str) -> list[str]:
        """Return the ids of the examples that a text is asked for with."""
        return list(self._prompted(name)[1])

    def todo(self, under_way: Iterable[str] = ()) -> list[str]:
        """Return the texts that are to be asked for, those under way left out.

        Those that were never tried come first: if answers are of no use, that shows before any is
        asked for again.
        """
        busy = set(under_way)
        found = [
            name
            for name in self.wanted
            if name not in busy and name not in self.standing.accepted and not self._given_up(name)
        ]
        return sorted(found, key=lambda name: self.standing.attempts.get(name, 0))

    def asked(self, names: Iterable[str]) -> dict[str, Asked]:
        """Return the requests for texts by their keys, as answers are compared with them."""
        found = ((name, *self.texts[name]) for name in names)
        return {key: Asked(name, text) for name, key, text in found}

    @property
    def spent(self) -> Decimal:
        """What the answers so far cost as they were counted, 0 without prices."""
        return self.budget.prices.cost(self.standing.usage)

    @property
    def uncounted(self) -> Decimal:
        """The most that was spent beside that, for what came without a count."""
        return self.budget.prices.cost(self.standing.uncounted)

    def budget_beside(self, running: Usage) -> Budget:
        """Return the budget as it is now.

        Args:
            running: The most tokens that what is running can have.
        """
        reserved = self.budget.prices.cost(running)
        return replace(self.budget, spent=self.spent + self.uncounted, reserved=reserved)

    def fitting(self, names: Sequence[str], running: Usage) -> list[Ask]:
        """Return requests for the first of some texts: as many as are sure to be within the limit.

        Args:
            names: The texts, by their hashes.
            running: The most tokens that what is running can have.
        """
        asks = [self.ask(name) for name in names]
        return asks[: self.budget_beside(running).fitting(asks)]

    def keep(self, stem: str, outcomes: Sequence[Outcome], job: Job | None = None) -> None:
        """Store answers, and take them into account.

        Args:
            stem: Name of the file.
            outcomes: What came of requests.
            job: Their job, None for chats; what was not counted is reckoned as it was planned.
        """
        budget = self.budget if job is None else self.budget.at_least(job.most_ratio, job.longest)
        uncounted = {
            each.source_hash: budget.most(self.ask(each.source_hash)) * each.uncounted
            for each in outcomes
            if each.uncounted
        }
        name = (job.job if job else None) or ""
        table = self.journal.answers.keep(stem, outcomes, uncounted, job=name, day=today())
        self.standing.add(table)

    def look_at(self, outcomes: Sequence[Outcome]) -> None:
        """Halt where answers are of no use; one that did not come is none.

        Raises:
            QualityAlarmError: They are not.
        """
        came = [each for each in outcomes if each.failure is not RejectReason.MISSING_ANSWER]
        if not self.alarm.is_alert:
            # Some texts are unfit. That they failed again says nothing of the others.
            came = [each for each in came if self._attempts(each.source_hash) == 1]
        usable = sum(outcome.failure is None for outcome in came)
        self.alarm.add(len(came), usable, most_common_failure(came))

    def _attempts(self, name: str) -> int:
        """Return how often a text was asked for by this job."""
        return self.standing.attempts.get(name, 0) - self.tried.get(name, 0)

    def _prompted(self, name: str) -> tuple[Ask, tuple[str, ...]]:
        key, text = self.texts[name]
        return self.prompt.ask(key, name, text)

    def _given_up(self, name: str) -> bool:
        """Whether a text is not asked for again; who refuses one would do so again."""
        failed = self.standing.failed.get(name)
        refused = failed is not None and failed["failure"] == RejectReason.REFUSED
        return self._attempts(name) >= (1 if refused else self.max_attempts)

    def tell(self, jobs: int, state: str) -> None:
        """Show how far it is."""
        self.show(
            LabelProgress(
                len(self.texts),
                len(self.standing.accepted),
                len(self.standing.failed),
                jobs,
                self.spent if self.budget.prices != UNKNOWN_PRICES else None,
                state,
            )
        )

    def out_of_budget(self, left: int) -> TeacherError:
        """Return the error that says that nothing more may be paid for."""
        spent = f"{self.spent:.4f} {self.budget.prices.currency} are spent"
        if self.uncounted:
            spent += f", and up to {self.uncounted:.4f} for what was not counted"
        return TeacherError(
            f"{spent}; the next request could pass cost.max_cost = {self.budget.max_cost:g}, and "
            f"{left:,} of {len(self.texts):,} texts are left. All answers are kept: raise "
            f"cost.max_cost and run the same command again"
        )


def most_common_failure(outcomes: Iterable[Outcome]) -> str:
    """Return what went wrong most often, with an example."""
    failures = [outcome for outcome in outcomes if outcome.failure is not None]
    if not failures:
        return "nothing"
    worst, _ = Counter(outcome.failure for outcome in failures).most_common(1)[0]
    example = next(outcome for outcome in failures if outcome.failure is worst)
    return f"{worst} ({example.detail})"


def today() -> str:
    """Return the day, UTC, in ISO 8601."""
    return datetime.now(UTC).date().isoformat()
