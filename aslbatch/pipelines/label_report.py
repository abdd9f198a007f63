"""Who was asked what, and what it came to: `teacher.json`, written before the card."""

import json
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from aslbatch.errors import ConfigError, SinkError
from aslbatch.labeling.prompt import Prompt
from aslbatch.pipelines.accounts import Summary, load_plan, read_records
from aslbatch.pipelines.gold import agreement, gold_report
from aslbatch.pipelines.label_ask import Labeling
from aslbatch.pipelines.label_journal import Job
from aslbatch.pipelines.label_run import LabelRun
from aslbatch.pipelines.label_texts import UNKNOWN_PRICES, Asking
from aslbatch.pipelines.rows import translated_rows
from aslbatch.pipelines.run_record import read_run_record, recorded_run_id
from aslbatch.shards.layout import SUCCESS, TEACHER_NOTE

_COLUMNS = pa.schema([(name, pa.string()) for name in ("source_hash", "translation")])


@dataclass(frozen=True, slots=True)
class Labeled:
    """What a labeling came to.

    Attributes:
        summary: Of its rows.
        note: What `teacher.json` says.
    """

    summary: Summary
    note: dict[str, Any]


def check_compared(run: LabelRun) -> None:
    """Check, before anything is paid for, that there is an output to compare with.

    Raises:
        ConfigError: `compare_with` names no finished output.
    """
    if run.config.compare_with is None:
        return
    storage = run.storage.elsewhere(run.config.compare_with)
    if not (storage.exists(SUCCESS) and recorded_run_id(storage)):
        raise ConfigError(
            f"compare_with: {storage.uri} is no finished output of a pseudogloss or translate job; "
            f"finish that first, or leave it out: it can be added later"
        )


def publish_note(labeling: Labeling) -> dict[str, Any]:
    """Write `teacher.json`, and return what it says.

    Raises:
        SinkError: It cannot be written, or `compare_with` cannot be read.
        IncompleteRunError: `compare_with` is not finished.
    """
    run, asking = labeling.run, labeling.asking
    standing = asking.standing
    note: dict[str, Any] = {
        "run_id": run.run_id,
        "teacher": _teacher(labeling),
        "prompt": _prompt(run.prompt),
        "few_shot_ids": sorted(example.id for example in run.prompt.examples),
        "texts": len(asking.texts),
        "glossed": len(standing.accepted),
        "failures": dict(
            sorted(Counter(row["failure"] for row in standing.failed.values()).items())
        ),
        "answers": sum(standing.attempts.values()),
        "usage": asdict(standing.usage),
        "cost": _cost(asking),
        "jobs": [_job(job) for job in labeling.jobs],
        "gold": _gold(labeling),
        "agreement": _agreement(labeling),
    }
    data = (json.dumps(note, indent=1, ensure_ascii=False) + "\n").encode()
    if not run.storage.exists(TEACHER_NOTE) or run.storage.read(TEACHER_NOTE) != data:
        run.storage.publish(TEACHER_NOTE, data)
    return note


def _teacher(labeling: Labeling) -> dict[str, Any]:
    config, answers = labeling.run.config.teacher, labeling.asking.standing.accepted.values()
    return {
        "kind": config.kind,
        "model": config.model,
        "answered_as": sorted({row["model"] for row in answers}),
        "days": sorted({row["answered_on"] for row in answers}),
    }


def _prompt(prompt: Prompt) -> dict[str, Any]:
    return {
        "sha256": prompt.sha256,
        "selection": prompt.selection,
        "count": prompt.count,
        "seed": prompt.seed,
        "instructions": prompt.instructions,
        "examples": [
            {"id": each.id, "source": each.source, "gloss": each.gloss} for each in prompt.examples
        ],
    }


def _cost(asking: Asking) -> dict[str, Any] | None:
    """Return what it cost, and the most that what was not counted did; None without prices."""
    if asking.budget.prices == UNKNOWN_PRICES:
        return None
    return {
        "amount": float(asking.spent),
        "uncounted_at_most": float(asking.uncounted),
        "currency": asking.budget.prices.currency,
    }


def _job(job: Job) -> dict[str, Any]:
    return {
        "job": job.job,
        "name": job.name,
        "requests": len(job.hashes),
        "request_sha256": job.request_sha256,
        "created_on": job.created_on,
        "ending": job.ending,
        "possible_orphans": list(job.possible_orphans),
    }


def _gold(labeling: Labeling) -> dict[str, Any] | None:
    """Return how the teacher does on authentic gloss, None where there is none."""
    if not labeling.gold:
        return None
    accepted = labeling.asking.standing.accepted
    rows = [
        (each.text, accepted.get(each.source_hash, {}).get("gloss"), each.gloss)
        for each in labeling.gold
    ]
    found = gold_report(rows)
    return {**found.as_dict(), "table": found.table()}


def _agreement(labeling: Labeling) -> dict[str, Any] | None:
    """Return how far another teacher's glosses of the same texts are alike, None without one."""
    config = labeling.run.config
    if config.compare_with is None:
        return None
    storage = labeling.run.storage.elsewhere(config.compare_with)
    plan, record = load_plan(storage), read_run_record(storage)
    records = read_records(storage, plan.shards, record["run_id"])
    other: dict[str, str] = {}
    for table in translated_rows(storage, records, _COLUMNS):
        other.update(zip(*(table[name].to_pylist() for name in _COLUMNS.names), strict=True))
    accepted = labeling.asking.standing.accepted
    pairs = [(row["gloss"], other[name]) for name, row in accepted.items() if name in other]
    if not pairs:
        raise SinkError(
            f"compare_with: {storage.uri} has none of the texts of this run, whose answers are "
            f"stored; name another output, or leave it out, and run the command again"
        )
    found = agreement(pairs)
    return {"with": storage.uri, **found.as_dict(), "table": found.table()}
