"""The sample corpus: lines that look like what people translate, blemishes included."""

import json
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from aslbatch.training.demo import scenes

_EMPTY = ("", "   ", "\t", "<i></i>", r"{\an8}", "<b> </b>", "♪", "♪ ♪", "😂", "👍👍", "...", "-")
_EMPTY_SHARE = 0.025
_DUPLICATE_SHARE = 0.06
_SPEAKERS = ("ANNA", "BEN", "MRS. OKAFOR", "NARRATOR", "")
_TAGS = ("kitchen", "travel", "work", "family", "sports")


class SampleLines:
    """A seeded stream of corpus lines."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._recent: list[str] = []

    def line(self) -> str:
        """Draw a line: mostly a clean sentence, else a repeated, empty or marked-up one."""
        draw = self._rng.random()
        if draw < _EMPTY_SHARE:
            return self._rng.choice(_EMPTY)
        if draw < _EMPTY_SHARE + _DUPLICATE_SHARE and self._recent:
            return self._rng.choice(self._recent)
        text = scenes.sentence(self._rng)
        if self._rng.random() < 0.12:
            text = f"{text} {scenes.sentence(self._rng)}"
        if self._rng.random() < 0.14:
            text = self._blemished(text)
        self._recent.append(text)
        return text

    def long_line(self) -> str:
        """Draw several hundred words without a line break."""
        return " ".join(scenes.sentence(self._rng) for _ in range(60))

    def lines(self, count: int, long_lines: int = 2) -> list[str]:
        """Draw `count` lines, a few of them very long."""
        lines = [self.line() for _ in range(count)]
        for at in self._rng.sample(range(count), long_lines):
            lines[at] = self.long_line()
        return lines

    def _blemished(self, text: str) -> str:
        kind = self._rng.randrange(7)
        if kind == 0:
            return f"<i>{text}</i>"
        if kind == 1:
            return rf"{{\an8}}{text}"
        if kind == 2:
            return "&quot;" + text.replace("'", "&#39;").replace(" and ", " &amp; ") + "&quot;"
        if kind == 3:
            return f"{text} {self._rng.choice('😀🎉👍❤🐶')}"
        if kind == 4:
            return f"- {text}"
        if kind == 5:
            return f"  {text.replace(' ', '  ', 1)} "
        return text.replace("'", "\u2019")


def write_corpus(folder: Path, seed: int) -> list[Path]:
    """Write the corpus as Parquet, JSON lines and plain text.

    Args:
        folder: Made where it is missing; files in it are replaced.
        seed: The same seed writes the same rows.

    Returns:
        The files written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / name for name in ("dialogue.parquet", "captions.jsonl", "subtitles.txt")]
    _write_parquet(paths[0], SampleLines(seed).lines(1500), random.Random(seed))
    _write_jsonl(paths[1], SampleLines(seed + 1).lines(1000), random.Random(seed))
    lines = SampleLines(seed + 2).lines(800)
    paths[2].write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return paths


def _write_parquet(path: Path, lines: list[str], rng: random.Random) -> None:
    start_ms = 0
    cues = []
    for line in lines:
        start_ms += rng.randint(200, 2000)
        end_ms = start_ms + 900 + 55 * len(line)
        cues.append({"start_ms": start_ms, "end_ms": end_ms})
        start_ms = end_ms
    table = pa.table(
        {
            "id": pa.array(range(1, len(lines) + 1), pa.int64()),
            "text": pa.array(lines, pa.string()),
            "speaker": pa.array([rng.choice(_SPEAKERS) or None for _ in lines], pa.string()),
            "cue": pa.array(cues, pa.struct([("start_ms", pa.int64()), ("end_ms", pa.int64())])),
            "tags": pa.array(
                [rng.sample(_TAGS, rng.randint(0, 2)) for _ in lines], pa.list_(pa.string())
            ),
        }
    )
    pq.write_table(table, path, compression="zstd", row_group_size=500)


def _write_jsonl(path: Path, lines: list[str], rng: random.Random) -> None:
    rows = (
        {
            "id": row + 1,
            "video": f"lesson-{row // 100:02}",
            "start": round(row * 3.4 + rng.random(), 2),
            "text": line,
        }
        for row, line in enumerate(lines)
    )
    path.write_text(
        "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8"
    )
