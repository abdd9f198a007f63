"""The module that reads each format."""

from aslbatch.shards.formats import arrow, delimited, jsonl, parquet, subtitles, text, tmx
from aslbatch.shards.formats.protocol import Format

FORMATS: dict[str, Format] = {
    "parquet": parquet,
    "arrow": arrow,
    "jsonl": jsonl,
    "csv": delimited,
    "tsv": delimited,
    "text": text,
    "tmx": tmx,
    "srt": subtitles,
    "vtt": subtitles,
    "ass": subtitles,
}
