"""The README.md of an output folder: a data set card for the Hugging Face Hub.

The front matter follows https://huggingface.co/docs/hub/datasets-cards, so that
`datasets.load_dataset(folder)` gives the translated rows, and `load_dataset(folder, "rejected")`
the others where there are any; the two have different columns.
"""

from typing import Any

import yaml

from aslbatch.pipelines.features import features
from aslbatch.shards.encoding import JSONL
from aslbatch.shards.output import OutputFormat

NOTICE = "machine-made gloss, not reviewed by signers"

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_LARGEST = "n>1M"


def dataset_card(record: dict[str, Any], summary: dict[str, Any], output: OutputFormat) -> str:
    """Return the card of a finished run.

    Args:
        record: What `_plan/run.json` says.
        summary: The fields of `aslbatch.pipelines.accounts.Summary`.
        output: What the files look like.
    """
    config, identity = record["identity"]["config"], record["identity"]
    languages = config["languages"]
    head = front_matter(
        record, summary, output, languages=(languages["source"], languages["target"])
    )
    licence = config["source"].get("license")
    return f"{head}{_body(record, summary, identity['model'], licence)}"


def front_matter(
    record: dict[str, Any],
    summary: dict[str, Any],
    output: OutputFormat,
    *,
    languages: tuple[str, str],
) -> str:
    """Return the front matter of a card, its dashes included.

    Args:
        record: What `_plan/run.json` says.
        summary: The fields of `aslbatch.pipelines.accounts.Summary`.
        output: What the files look like.
        languages: Of the source and of what was made of it.
    """
    source, target = languages
    licence = record["identity"]["config"]["source"].get("license")
    # A configuration without files could not be loaded.
    folders = {"default": "data"} | ({"rejected": "rejected"} if summary["rejected"] else {})
    front = {
        "license": licence or "other",
        **({} if licence else {"license_name": "that-of-the-source-texts"}),
        "language": [source, target],
        "task_categories": ["translation"],
        "size_categories": [_size(summary["translated"])],
        "tags": ["sign-language", "asl", "gloss", "machine-generated", "aslbatch"],
        "pretty_name": f"{source} to {target}, {NOTICE}",
        "configs": [
            {
                "config_name": name,
                "data_files": [{"split": "train", "path": f"{folder}/*{output.encoding.suffix}"}],
            }
            for name, folder in folders.items()
        ],
    }
    if output.format == JSONL:
        schemas = {"default": output.data_schema, "rejected": output.rejected_schema}
        front["dataset_info"] = [
            {"config_name": name, "features": features(schemas[name])} for name in folders
        ]
    head = yaml.safe_dump(front, sort_keys=False, allow_unicode=True)
    return f"---\n{head}---\n"


def _body(
    record: dict[str, Any], summary: dict[str, Any], model: dict[str, str], licence: str | None
) -> str:
    languages = record["identity"]["config"]["languages"]
    decoding = record["identity"]["config"]["decoding"]
    rejected = summary["rejected"]
    lines = [
        f"# {languages['source']} to {languages['target']}: {NOTICE}",
        "",
        "Gloss is not ASL. It leaves out space, non-manual markers and simultaneity, and has no",
        "standard; and no signer has looked at what a model wrote here. Keep these rows apart from",
        "authentic data: the column `origin` says `machine` in every one of them.",
        "",
        "| | |",
        "|---|---|",
        f"| rows translated | {summary['translated']:,} |",
        f"| rows rejected | {sum(rejected.values()):,} |",
        *(f"| rejected, `{reason}` | {count:,} |" for reason, count in rejected.items()),
        f"| source tokens | {summary['source_tokens']:,} |",
        f"| target tokens | {summary['target_tokens']:,} |",
        f"| model | `{model['name']}` |",
        f"| model revision | {_code(model['revision'])} |",
        f"| model fingerprint (SHA-256) | `{model['sha256']}` |",
        f"| beams | {decoding['num_beams']} |",
        f"| sampled | {'yes' if decoding['do_sample'] else 'no'} |",
        *_audit_row(summary),
        f"| made by | aslbatch {record['identity']['aslbatch']}, run `{record['run_id']}` |",
        "",
        "## License",
        "",
        f"The source texts: {licence or 'not stated in the configuration of the run'}. The licences"
        " of the source texts and of the model hold for these rows; look them up before you pass"
        " them on.",
        "",
        "## Sources",
        "",
        *(
            f"- `{source['uri']}`, {source['size']:,} bytes"
            for source in record["identity"]["sources"]
        ),
        "",
        "## Files",
        "",
        "`data/` holds the translated rows, `rejected/` those that were not translated, with the",
        "reason; together they are every row of the sources, once. `_manifest.json` lists each",
        "file with its rows and SHA-256; `aslbatch verify` on this folder checks them.",
    ]
    return "\n".join(lines) + "\n"


def _audit_row(summary: dict[str, Any]) -> list[str]:
    """Return what a vocabulary shortlist changed, where there was one."""
    if not summary["audited"]:
        return []
    return [
        f"| same without the vocabulary shortlist | {summary['agreed']:,} of "
        f"{summary['audited']:,} sampled texts |"
    ]


def _code(text: str) -> str:
    return f"`{text}`" if text else "none"


def _size(rows: int) -> str:
    return next((name for limit, name in _SIZES if rows < limit), _LARGEST)
