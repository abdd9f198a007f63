"""From texts to stored answers: what is left to ask, whether it may be paid for, and asking."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace

import pyarrow as pa

from aslbatch.labeling.openai_chat import OpenAiChat
from aslbatch.labeling.protocol import BatchTeacher
from aslbatch.pipelines.claim import LABELING, claimed
from aslbatch.pipelines.label_alarm import UsableAnswers
from aslbatch.pipelines.label_batches import BatchAsking
from aslbatch.pipelines.label_chats import ChatAsking
from aslbatch.pipelines.label_estimate import budget_of, check_budget, counted
from aslbatch.pipelines.label_journal import Job
from aslbatch.pipelines.label_prompt import Gold, read_gold
from aslbatch.pipelines.label_run import LabelRun
from aslbatch.pipelines.label_standing import Standing, read_standing
from aslbatch.pipelines.label_texts import Asking, LabelProgress, Texts
from aslbatch.pipelines.teachers import open_teacher
from aslbatch.shards.commits import committed
from aslbatch.text.languages import ENGLISH_CODE, GLOSS_CODE, language_name


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
        table = self.asking.standing.table()
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
    config = run.config
    gold = _gold(run)
    texts = _texts(table, gold)
    asking = Asking(
        run_id=run.run_id,
        texts=texts,
        wanted=list(texts),
        prompt=run.prompt,
        journal=run.journal,
        standing=Standing(),
        budget=budget_of(config),
        max_attempts=config.run.max_attempts,
        tried={},
        alarm=UsableAnswers(config.run.min_usable_share),
        show=show,
    )
    if run.plan is None or not run.journal.has_questions():
        return asking, gold, []
    asking, jobs = _as_it_stands(asking, run, corpus_texts=table.num_rows, again=again)
    return asking, gold, jobs


def _as_it_stands(
    asking: Asking, run: LabelRun, *, corpus_texts: int, again: bool
) -> tuple[Asking, list[Job]]:
    """Return the same as the output folder has it now, and all batch jobs so far.

    Args:
        asking: What is asked for.
        run: The run, planned and stored.
        corpus_texts: How many of its texts, which come first, are the corpus's.
        again: Ask for texts that were given up, too.
    """
    jobs = run.journal.jobs()
    standing = read_standing(run.journal, jobs)
    # Once shards are made of the answers, only `retry` changes what is in them.
    is_closed = not again and bool(committed(run.storage))
    return replace(
        asking,
        standing=standing,
        tried=dict(standing.attempts) if again else {},
        wanted=list(asking.texts)[corpus_texts if is_closed else 0 :],
    ), jobs


def ask_teacher(
    run: LabelRun,
    table: pa.Table,
    *,
    overwrite: bool = False,
    again: bool = False,
    show: Callable[[LabelProgress], None] = lambda _: None,
) -> Labeling:
    """Ask for every text that has no answer yet; without any, no service is needed.

    Args:
        run: The run, planned.
        table: `source_hash` and `text` of each text, once.
        overwrite: Delete another run's output first.
        again: Ask for texts that were given up, up to `run.max_attempts` times more.
        show: Is told how far it is.

    Raises:
        ConfigError: Key or model are refused, or it would cost more than `cost.max_cost`; nothing
            is written or sent by then.
        TeacherError: The budget is spent, or the service cannot be asked.
        QualityAlarmError: Answers are of no use.
        AslbatchError: The output folder is another run's, or damaged.
    """
    asking, gold, jobs = open_asking(run, table, again=again, show=show)
    teacher = None
    if asking.todo() or any(not job.is_over for job in jobs):
        teacher = open_teacher(run.config.teacher, run.config.run, run_id=run.run_id)
        teacher.check()
        asking = counted(asking, teacher)
        check_budget(asking, run.config)
    run = run.claim(overwrite=overwrite)
    run.journal.keep_questions(table)
    if teacher is not None:
        with claimed(run.storage, LABELING) if not again else nullcontext():
            # Another process may have asked since.
            asking, jobs = _as_it_stands(asking, run, corpus_texts=table.num_rows, again=again)
            jobs = _ask(asking, teacher, run, jobs)
    return Labeling(run, asking, gold, jobs)


def _ask(
    asking: Asking, teacher: BatchTeacher | OpenAiChat, run: LabelRun, jobs: list[Job]
) -> list[Job]:
    """Ask in the way of the teacher, and return its batch jobs."""
    settings = run.config.run
    if isinstance(teacher, OpenAiChat):
        ChatAsking(asking, teacher).run()
        return []
    batches = BatchAsking(
        asking,
        teacher,
        jobs,
        job_requests=settings.job_requests,
        # Each of vLLM's loads the model onto this machine.
        max_jobs=1 if run.config.teacher.kind == "vllm" else settings.max_jobs,
        poll_s=settings.poll_s,
        give_up_lost_jobs=settings.give_up_lost_jobs,
    )
    try:
        batches.run()
    finally:
        teacher.close()
    return batches.jobs


def _texts(table: pa.Table, gold: list[Gold]) -> Texts:
    """Return what to ask for: the texts of the corpus, then those of the gold set."""
    hashes, texts = table["source_hash"].to_pylist(), table["text"].to_pylist()
    found = {
        name: (f"r{number:09d}", text)
        for number, (name, text) in enumerate(zip(hashes, texts, strict=True))
    }
    for number, each in enumerate(gold):
        found.setdefault(each.source_hash, (f"g{number:09d}", each.text))
    return found


def _gold(run: LabelRun) -> list[Gold]:
    section = run.config.gold
    if section is None:
        return []
    shown = {example.id for example in run.prompt.examples}
    return read_gold(section, run.storage, run.rules, shown)
