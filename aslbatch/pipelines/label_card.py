"""The README.md of a folder with a teacher's glosses: a data set card for the Hugging Face Hub."""

from typing import Any

from aslbatch.pipelines.card import NOTICE, front_matter
from aslbatch.pipelines.score_tables import markdown_table
from aslbatch.pipelines.teacher_note import cost_in_words
from aslbatch.shards.output import OutputFormat


def label_card(
    record: dict[str, Any], summary: dict[str, Any], output: OutputFormat, note: dict[str, Any]
) -> str:
    """Return the card of a finished labeling.

    Args:
        record: What `_plan/run.json` says.
        summary: The fields of `aslbatch.pipelines.accounts.Summary`.
        output: What the files look like.
        note: What `teacher.json` says.
    """
    head = front_matter(record, summary, output, languages=("en", "ase"))
    return f"{head}{_body(record, summary, note)}"


def _body(record: dict[str, Any], summary: dict[str, Any], note: dict[str, Any]) -> str:
    license_name = record["identity"]["config"]["source"].get("license")
    lines = [
        f"# English with gloss by a teacher: {NOTICE}",
        "",
        "A large language model was asked for these glosses. Gloss is not ASL: it leaves out",
        "space, non-manual markers and simultaneity, and has no standard; and no signer has looked",
        "at what the model wrote. Keep these rows apart from authentic data: the column `origin`",
        "says `teacher` in every one of them.",
        "",
        *_table(record, summary, note),
        "",
        *_measured(note),
        "## License",
        "",
        f"The source texts: {license_name or 'not stated in the configuration of the run'}. Their"
        " licenses and the terms of the teacher's service hold for these rows; look them up before"
        " you pass them on.",
        "",
        "## Files",
        "",
        "`data/` holds the glossed rows, `rejected/` the others, with the reason; together they",
        "are every row of the sources, once. `teacher.json` has the prompt, its examples, which",
        "must not be scored on, and every batch job; `_manifest.json` lists each file with its",
        "SHA-256.",
        "`_teacher/` holds what was asked and every answer; keep it, it was paid for.",
    ]
    return "\n".join(lines) + "\n"


def _table(record: dict[str, Any], summary: dict[str, Any], note: dict[str, Any]) -> list[str]:
    """Return what was done, in numbers."""
    teacher, prompt, rejected = note["teacher"], note["prompt"], summary["rejected"]
    usage, days = note["usage"], sorted({*teacher["days"][:1], *teacher["days"][-1:]})
    return [
        "| | |",
        "|---|---|",
        f"| rows glossed | {summary['translated']:,} |",
        f"| rows rejected | {sum(rejected.values()):,} |",
        *(f"| rejected, `{reason}` | {count:,} |" for reason, count in rejected.items()),
        f"| texts, each asked for once | {note['texts']:,} |",
        f"| answers, those of no use among them | {note['answers']:,} |",
        f"| teacher | `{teacher['model']}` ({teacher['kind']}) |",
        f"| answered as | {', '.join(f'`{name}`' for name in teacher['answered_as'] if name)} |",
        f"| answered on | {' to '.join(days)} |",
        f"| prompt (SHA-256) | `{prompt['sha256']}` |",
        f"| examples | {prompt['count']} of {len(prompt['examples'])}, {prompt['selection']} |",
        f"| tokens | {usage['input_tokens']:,} in, {usage['output_tokens']:,} out |",
        *([f"| cost | {cost_in_words(note['cost'])} |"] if note["cost"] else []),
        f"| made by | aslbatch {record['identity']['aslbatch']}, run `{record['run_id']}` |",
    ]


def _measured(note: dict[str, Any]) -> list[str]:
    """Return what the teacher's glosses were compared with, as tables."""
    lines: list[str] = []
    if gold := note["gold"]:
        lines += [
            "## Against authentic gloss",
            "",
            f"{gold['rows']:,} sentences; {gold['failed']:,} without a gloss count as empty.",
            "",
            *markdown_table(gold["table"]),
            "",
        ]
    if alike := note["agreement"]:
        lines += [
            "## Against another teacher",
            "",
            f"{alike['rows']:,} texts that `{alike['with']}` holds too.",
            "",
            *markdown_table(alike["table"]),
            "",
        ]
    return lines
