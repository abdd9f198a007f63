"""Draw the results of `bench/engines.py`, and put them into docs/benchmarks.md.

python bench/chart.py [--results bench/results/engines.json] [--docs docs]
"""

import argparse
import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from pages import fill, markdown

ROOT = Path(__file__).parents[1]
_WIDTH = 820
_LABELS = 330
"""Where bars begin; their labels stand before it."""
_VALUES = 70
"""Room behind the longest bar for its value."""
_TOP = 66
_BAR, _STEP = 18, 27
_STYLE = """
text { font: 13px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; }
text { fill: #1f2328; }
.title { font-size: 16px; font-weight: 600; }
.note { font-size: 12px; fill: #59636e; }
.bar { fill: #9aa4af; }
.ours { fill: #0969da; }
.strong { font-weight: 600; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; }
  .note { fill: #9198a1; }
  .bar { fill: #656c76; }
  .ours { fill: #4493f8; }
}
"""


def main() -> None:
    """Write docs/benchmarks.svg and the table of docs/benchmarks.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=ROOT / "bench" / "results" / "engines.json")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs")
    options = parser.parse_args()
    results = json.loads(options.results.read_text(encoding="utf-8"))
    systems = sorted(
        (system for system in results["systems"] if system["best"]),
        key=lambda system: -system["sentences_per_s"],
    )
    (options.docs / "benchmarks.svg").write_text(chart(systems), encoding="utf-8")
    content = f"![Sentences a second of each system](benchmarks.svg)\n\n{table(systems)}"
    fill(options.docs / "benchmarks.md", "engines", content)


def chart(systems: Sequence[dict[str, Any]]) -> str:
    """Return a bar chart as SVG, one bar a system in the order given.

    Bars are linear: twice as long is twice as fast.
    """
    height = _TOP + _STEP * len(systems) + 10
    scale = (_WIDTH - _LABELS - _VALUES) / max(system["sentences_per_s"] for system in systems)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" role="img" aria-labelledby="title">',
        f"<style>{_STYLE}</style>",
        '<text class="title" id="title" x="10" y="24">English to ASL gloss, mBART-50, '
        "4 beams, one CPU thread</text>",
        '<text class="note" x="10" y="44">sentences a second, equal forced lengths; '
        "more is better</text>",
    ]
    for number, system in enumerate(systems):
        top = _TOP + _STEP * number
        base = top + _BAR - 4
        width = max(system["sentences_per_s"] * scale, 1.0)
        strong = " strong" if system["ours"] else ""
        parts += [
            f'<text class="label{strong}" x="{_LABELS - 8}" y="{base}" text-anchor="end">'
            f"{escape(system['label'])}</text>",
            f'<rect class="{"ours" if system["ours"] else "bar"}" x="{_LABELS}" y="{top}" '
            f'width="{width:.1f}" height="{_BAR}" rx="2"/>',
            f'<text class="value{strong}" x="{_LABELS + width + 6:.1f}" y="{base}">'
            f"{number_of(system['sentences_per_s'])}</text>",
        ]
    return "\n".join([*parts, "</svg>", ""])


def table(systems: Sequence[dict[str, Any]]) -> str:
    """Return a Markdown table."""
    rows = []
    for system in systems:
        cells = (system["label"], number_of(system["sentences_per_s"]))
        strong = (f"**{cell}**" if system["ours"] else cell for cell in cells)
        rows.append([*strong, number_of(system["times_slower"])])
    return markdown(["system", "sentences/s", "times slower than aslbatch"], rows)


def number_of(value: float) -> str:
    """Return a number with two digits that count, or all of them before the point."""
    return f"{value:.2f}" if value < 1 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


if __name__ == "__main__":
    main()
