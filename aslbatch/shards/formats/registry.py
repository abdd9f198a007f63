"""The module that reads each format."""

from aslbatch.shards.formats import delimited, jsonl, parquet, subtitles, text
from aslbatch.shards.formats.protocol import Format

FORMATS: dict[str, Format] = {
    "parquet": parquet,
    "jsonl": jsonl,
    "csv": delimited,
    "tsv": delimited,
    "text": text,
    "srt": subtitles,
    "vtt": subtitles,
    "ass": subtitles,
}
