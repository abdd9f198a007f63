"""From texts to stored answers: what is left to ask, whether it may be paid for, and asking."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial

import pyarrow as pa

from aslbatch.labeling.cost import Budget
from aslbatch.labeling.openai_chat import OpenAiChat
from aslbatch.labeling.protocol import BatchTeacher
from aslbatch.pipelines.label_alarm import UsableAnswers
from aslbatch.pipelines.label_batches import BatchAsking
from aslbatch.pipelines.label_chats import ChatAsking
from aslbatch.pipelines.label_estimate import budget_of, check_budget, count
from aslbatch.pipelines.label_fetch import JobFetcher
from aslbatch.pipelines.label_jobs import JobMaker
from aslbatch.pipelines.label_journal import Job
from aslbatch.pipelines.label_prompt import Gold, read_gold
from aslbatch.pipelines.label_run import LabelRun
from aslbatch.pipelines.label_standing import read_standing
from aslbatch.pipelines.label_texts import Asking, LabelProgress, Texts
from aslbatch.pipelines.ownership import check_owner
from aslbatch.pipelines.teachers import open_teacher
from aslbatch.shards.commits import committed
from aslbatch.text.languages import ENGLISH_CODE, GLOSS_CODE, language_name

_ANY = 1e-9
"""A share that any usable answer passes."""


@dataclass(frozen=True, slots=True)
class Labeling:
    """A labeling that was asked to its end.

    Attributes:
        run: The run, planned and stored.
        asking: What was asked for, and how each text stands.
        gold: Sentences with authentic gloss among the texts.
        jobs: All batch jobs.
    """

    run: LabelRun
    asking: Asking
    gold: list[Gold]
    jobs: list[Job]

    @property
    def labels(self) -> pa.Table:
        """The answer that counts for each text, with the examples that it was asked with."""
        table = self.asking.standing.table(self.asking.corpus)
        shown = [self.asking.examples(name) for name in table["source_hash"].to_pylist()]
        return table.append_column("examples", pa.array(shown, pa.list_(pa.string())))

    @property
    def stamps(self) -> dict[str, str]:
        """Values of the columns that are the same in every row."""
        teacher = self.run.config.teacher
        return {
            "source_lang": language_name(ENGLISH_CODE),
            "target_lang": language_name(GLOSS_CODE),
            "model": teacher.model,
            "engine": teacher.kind,
            "prompt_sha256": self.run.prompt.sha256,
            "origin": "teacher",
            "run_id": self.run.run_id,
        }


class Service:
    """The service of a run, which is opened when it is needed, and checked before it is paid."""

    def __init__(self, run: LabelRun) -> None:
        self._run = run
        self._counted: Budget | None = None

    @cached_property
    def teacher(self) -> BatchTeacher | OpenAiChat:
        """The client."""
        config, work_name = self._run.config, self._run.work_name
        return open_teacher(config.teacher, config.run, work_name=work_name)

    def check(self, asking: Asking) -> None:
        """Check key, model and budget, and scale the estimates to what the service counts, once.

        Raises:
            ConfigError: Key or model are refused, or it would cost more than `cost.max_cost`.
            TeacherError: The service cannot be asked.
        """
        if self._counted is None:
            self.teacher.check()
            count(asking, self.teacher)
            self._counted = asking.budget
            check_budget(asking, self._run.config)  # makes all requests once more
        counted = self._counted
        asking.budget = replace(asking.budget, ratio=counted.ratio, most_ratio=counted.most_ratio)


def open_asking(
    run: LabelRun,
    table: pa.Table,
    *,
    again: bool = False,
    show: Callable[[LabelProgress], None] = lambda _: None,
) -> tuple[Asking, list[Gold], list[Job]]:
    """Return what is to be asked for, and what was: nothing is written.

    Args:
        run: The run, planned.
        table: `source_hash` and `text` of each text, once.
        again: Ask for texts that were given up, up to `run.max_attempts` times more.
        show: Is told how far it is.

    Returns:
        What is asked for, the gold set in it, and all batch jobs so far.
    """
    settings, gold, jobs = run.config.run, _gold(run), run.journal.jobs()
    standing = read_standing(run.journal, jobs)
    corpus = dict(zip(*(table[name].to_pylist() for name in ("source_hash", "text")), strict=True))
    # Gold that was asked for and is no longer in the set may still be answered.
    asked = {name for job in jobs for name in job.hashes} | standing.attempts.keys()
    earlier = {name: text for name, text in run.journal.gold().items() if name in asked}
    measured = {each.source_hash: each.text for each in gold}
    # Once shards are made of the answers, only `retry` changes what is in them.
    is_closed = not again and run.is_claimed and bool(committed(run.storage))
    asking = Asking(
        run_id=run.run_id,
        texts=_texts(corpus, earlier | measured),
        corpus=list(corpus),
        wanted=[*([] if is_closed else corpus), *(name for name in measured if name not in corpus)],
        prompt=run.prompt,
        journal=run.journal,
        standing=standing,
        budget=budget_of(run.config),
        max_attempts=settings.max_attempts,
        tried=dict(standing.attempts) if again else {},
        # What failed before may go on to do so; that nothing at all is usable is another matter.
        alarm=UsableAnswers(
            min(settings.min_usable_share, _ANY) if again else settings.min_usable_share
        ),
        show=show,
    )
    return asking, gold, jobs


def check_new(run: LabelRun, table: pa.Table, service: Service) -> None:
    """Check key, model and budget of a run that is new, before anything is written.

    Raises:
        ConfigError: They will not do.
        TeacherError: The service cannot be asked.
    """
    if not run.journal.has_questions():
        asking, _, _ = open_asking(run, table)
        if asking.todo():
            service.check(asking)


def ask_teacher(
    run: LabelRun,
    table: pa.Table,
    service: Service,
    *,
    again: bool = False,
    show: Callable[[LabelProgress], None] = lambda _: None,
) -> Labeling:
    """Ask for every text that has no answer yet; without any, no service is needed.

    Args:
        run: The run, planned and stored; this process holds the claim on its folder.
        table: `source_hash` and `text` of each text, once.
        service: Who is asked.
        again: Ask for texts that were given up, up to `run.max_attempts` times more.
        show: Is told how far it is.

    Raises:
        ConfigError: Key or model are refused, or it would cost more than `cost.max_cost`.
        TeacherError: The budget is spent, or the service cannot be asked.
        QualityAlarmError: Answers are of no use.
        AslbatchError: The output folder is damaged.
    """
    check_owner(run.storage, run.identity)  # before the claim another run may have deleted this one
    run.journal.keep_questions(table)
    asking, gold, jobs = open_asking(run, table, again=again, show=show)
    run.journal.keep_gold({each.source_hash: each.text for each in gold})
    if asking.todo() or any(not job.is_over for job in jobs):
        jobs = _ask(asking, service, run, jobs)
    return Labeling(run, asking, gold, jobs)


def _ask(asking: Asking, service: Service, run: LabelRun, jobs: list[Job]) -> list[Job]:
    """Ask in the way of the teacher, and return its batch jobs."""
    settings, teacher, ready = run.config.run, service.teacher, partial(service.check, asking)
    if isinstance(teacher, OpenAiChat):
        ChatAsking(asking, teacher, ready).run()
        return []
    records = {job.number: job for job in jobs}
    poll_s, give_up = settings.poll_s, settings.give_up_lost_jobs
    maker = JobMaker(asking, teacher, records, look_s=poll_s, create_lost=give_up)
    fetcher = JobFetcher(asking, teacher, maker.write, look_s=poll_s, give_up_lost_jobs=give_up)
    batches = BatchAsking(
        asking,
        teacher,
        maker,
        fetcher,
        ready,
        job_requests=settings.job_requests,
        # Each of vLLM's loads the model onto this machine.
        max_jobs=1 if run.config.teacher.kind == "vllm" else settings.max_jobs,
        poll_s=poll_s,
        patience_s=settings.patience_s,
    )
    try:
        batches.run()
    finally:
        teacher.close()
    return list(records.values())


def _texts(corpus: Mapping[str, str], others: Mapping[str, str]) -> Texts:
    """Return what to ask for, by `source_hash`: the key of its request, and the text.

    A key must be the same whenever the run goes on. The corpus of a run is stored in its order;
    other texts may come and go.
    """
    texts = {name: (f"r{n:09d}", text) for n, (name, text) in enumerate(corpus.items())}
    return {name: (f"g{name}", text) for name, text in others.items()} | texts


def _gold(run: LabelRun) -> list[Gold]:
    section = run.config.gold
    if section is None:
        return []
    shown = {example.id for example in run.prompt.examples}
    return read_gold(section, run.storage, run.rules, shown)
