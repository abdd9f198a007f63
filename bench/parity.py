"""How far engines and precisions agree, on held-out sentences of the demo grammar.

The reference is transformers in float32, sentence by sentence, as the model card decodes. Compared
are engines, batches, vocabulary shortlists, and bounded searches, on the shipped demo model and on
a tiny one with a multilingual vocabulary (bench/tiny_model.py), in both directions.

    python bench/parity.py [--sentences 500] [--out bench/results/parity.json]
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from itertools import product, starmap
from pathlib import Path

from invariance import (
    ALONE,
    ENGINES,
    EQUAL,
    POLICIES,
    Case,
    Outputs,
    Row,
    batch_invariance,
    bounded_searches,
    load,
    make_cases,
    translate,
)
from machine import machine
from rich.console import Console
from rich.table import Table
from sacrebleu.metrics import CHRF
from tiny_model import tiny_checkpoint

import aslbatch
from aslbatch.evaluation.token_f1 import corpus_token_f1
from aslbatch.models.checkpoint import DEMO, DEMO_FOLDER, find_checkpoint
from aslbatch.models.decoding import Decoding
from aslbatch.models.shortlist import SCRIPTS, make_shortlist
from aslbatch.models.tokenizer import Tokenizer

RESULTS = Path(__file__).parent / "results" / "parity.json"
SHOWN_DIFFERENCES = 2


@dataclass(frozen=True, slots=True)
class Goal:
    """What every matching row of a table should reach.

    Attributes:
        table: Name of the table.
        where: Values of other columns that a row must have.
        column: What is measured.
        limit: The goal.
        at_least: Whether the limit is a lower one.
    """

    table: str
    where: dict[str, object]
    column: str
    limit: float
    at_least: bool = False

    def check(self, rows: Sequence[Row]) -> Row:
        """Return the goal, the worst value of all rows, signs left out, and whether it is met."""
        matching = (row for row in rows if self.where.items() <= row.items())
        found = [row[self.column] for row in matching]
        values = [abs(value) for value in found if isinstance(value, (int, float))]
        worst = min(values) if self.at_least else max(values)
        met = worst >= self.limit if self.at_least else worst <= self.limit
        return {**asdict(self), "worst": worst, "met": met}


_FLOAT32 = {"engine": "ctranslate2", "precision": "float32"}
_IN_FLIGHT = {"engine": "cuda", "precision": "float32"}
_INT8 = {"engine": "ctranslate2", "precision": "int8"}
GOALS = (
    Goal("engines", _FLOAT32, "identical_%", 99.5, at_least=True),
    Goal("engines", _FLOAT32, "score_max", 1e-3),
    Goal("engines", _IN_FLIGHT, "identical_%", 99.5, at_least=True),
    Goal("engines", _IN_FLIGHT, "score_max", 1e-3),
    Goal("engines", _INT8, "chrF", 97.0, at_least=True),
    Goal("engines", _INT8, "token_F1_change", 0.5),
    Goal("batches", {**_INT8, "batches": EQUAL}, "texts_differ", 0),
    Goal("batches", {**_INT8, "batches": EQUAL}, "scores_differ", 0),
    Goal("shortlists", {"precision": "float32"}, "identical_%", 99.0, at_least=True),
    Goal("bounds", {}, "differ", 0),
)


def main() -> None:
    """Measure, print the tables, and write the numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentences", type=int, default=500)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    models = {DEMO: DEMO_FOLDER, "tiny": tiny_checkpoint()}
    started = time.monotonic()
    tables: dict[str, list[Row]] = {"engines": [], "batches": [], "shortlists": [], "bounds": []}
    differences: list[Row] = []
    for name, folder in models.items():
        cases = make_cases(name, folder, options.sentences)
        compare_engines(cases, tables, differences)
        tables["shortlists"] += starmap(
            compare_shortlist, product(("float32", "int8"), SCRIPTS, cases)
        )
        tables["bounds"] += bounded_searches(cases)
    goals = [goal.check(tables[goal.table]) for goal in GOALS]
    show(tables, differences, goals)
    results = {
        "passed": all(goal["met"] for goal in goals),
        "settings": {
            "sentences": options.sentences,
            "reference": f"{'|'.join(ENGINES[0])}, {ALONE}",
            "decoding": Decoding().signature(aslbatch.__version__),
            "models": {name: find_checkpoint(str(path)).sha256 for name, path in models.items()},
            "sacrebleu": version("sacrebleu"),
            "wall_s": round(time.monotonic() - started),
        },
        "goals": goals,
        **tables,
        "differences": differences,
        "machine": machine(),
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(results, indent=1, ensure_ascii=False)
    options.out.write_text(f"{text}\n", encoding="utf-8")
    sys.exit(not results["passed"])


def compare_engines(
    cases: Sequence[Case], tables: dict[str, list[Row]], differences: list[Row]
) -> None:
    """Add rows for each engine: against the reference, and for each way to make batches."""
    reference: dict[str, Outputs] = {}
    for name, precision in ENGINES:
        engine, tokenizer = load(cases[0].folder, name, precision)
        for case in cases:
            head = {**case.labels, "engine": name, "precision": precision}
            print(*head.values(), file=sys.stderr)
            alone = translate(case, engine, tokenizer, POLICIES[ALONE])
            tables["batches"] += [
                {**head, "batches": policy, **batch_invariance(alone, outputs)}
                for policy, make in POLICIES.items()
                if policy != ALONE
                for outputs in [translate(case, engine, tokenizer, make)]
            ]
            expected = reference.setdefault(case.target_lang, alone)
            ours = translate(case, engine, tokenizer)
            tables["engines"].append({**head, **agreement(case, expected, ours)})
            differences += [{**head, **row} for row in differing(case, expected, ours)]


def agreement(case: Case, expected: Outputs, ours: Outputs) -> Row:
    """Return how far outputs in the engine's own batches are from those of the reference."""
    pairs = list(zip(expected.best, ours.best, strict=True))
    moved = [abs(theirs.score - our.score) for theirs, our in pairs]
    reference_f1 = corpus_token_f1(expected.texts, case.references)
    f1 = corpus_token_f1(ours.texts, case.references)
    return {
        "sentences": len(pairs),
        "cut_off": sum(not hypothesis.complete for hypothesis in ours.best),
        "identical_%": 100 * sum(a.tokens == b.tokens for a, b in pairs) / len(pairs),
        "score_max": max(moved),
        "score_mean": sum(moved) / len(moved),
        "chrF": CHRF().corpus_score(ours.texts, [expected.texts]).score,
        "token_F1": f1,
        "token_F1_change": f1 - reference_f1,
    }


def differing(case: Case, expected: Outputs, ours: Outputs) -> list[Row]:
    """Return the sentences whose best hypothesis is another one."""
    return [
        {
            "source": source,
            "reference_output": expected.texts[row],
            "output": ours.texts[row],
            "reference_score": expected.best[row].score,
            "score": ours.best[row].score,
        }
        for row, source in enumerate(case.sources)
        if expected.best[row].tokens != ours.best[row].tokens
    ]


def compare_shortlist(precision: str, script: str, case: Case) -> Row:
    """Return what a shortlist of CTranslate2 changes, against the same model without it."""
    tokenizer = Tokenizer.load(case.folder)
    shortlist = make_shortlist(script, tokenizer, case.target_lang)
    row: Row = {
        **case.labels,
        "precision": precision,
        "shortlist": script,
        "vocabulary": len(tokenizer),
        "kept": len(tokenizer) if shortlist is None else len(shortlist.ids),
        "identical_%": None,
        "score_mean": None,
        "outside": None,
    }
    if shortlist is None:
        return row
    engine, _ = load(case.folder, "ctranslate2", precision, shortlist=shortlist)
    with_list = translate(case, engine, tokenizer).best
    without = translate(case, engine.full, tokenizer).best
    pairs = list(zip(without, with_list, strict=True))
    return row | {
        "identical_%": 100 * sum(a.tokens == b.tokens for a, b in pairs) / len(pairs),
        "score_mean": sum(abs(a.score - b.score) for a, b in pairs) / len(pairs),
        "outside": sum(not set(hypothesis.tokens) <= set(shortlist.ids) for hypothesis in without),
    }


def show(tables: dict[str, list[Row]], differences: Sequence[Row], goals: Sequence[Row]) -> None:
    """Print everything but the long list of differences, of which the first of each engine."""
    console = Console(width=165)
    for title, rows in tables.items():
        _print(console, title, rows)
    shown: dict[str, list[Row]] = {}
    for row in differences:
        shown.setdefault(f"{row['engine']} {row['precision']}", []).append(row)
    for engine, rows in shown.items():
        console.print(f"{engine}: {len(rows)} sentences differ from the reference", style="bold")
        for row in rows[:SHOWN_DIFFERENCES]:
            console.print(f"  {row['source']}", markup=False, highlight=False)
            for output in ("reference_output", "output"):
                score = row[output.replace("output", "score")]
                console.print(f"    {score:.4f}  {row[output]}", markup=False, highlight=False)
    _print(console, "goals", goals)


def _print(console: Console, title: str, rows: Sequence[Row]) -> None:
    table = Table(*rows[0], title=title)
    for row in rows:
        table.add_row(*map(_cell, row.values()))
    console.print(table)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.2e}" if 0 < abs(value) < 0.01 else f"{value:.2f}"
    if isinstance(value, dict):
        return " ".join(map(str, value.values())) or "all"
    return "-" if value is None else str(value)


if __name__ == "__main__":
    main()
