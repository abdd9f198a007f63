"""Write the translations of subtitles as tracks: one file a source, with the original times."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Literal

import pyarrow as pa

from aslbatch.errors import IncompleteRunError, SinkError
from aslbatch.pipelines.accounts import load_plan, read_records
from aslbatch.pipelines.rows import translated_rows
from aslbatch.pipelines.run_record import read_run_record
from aslbatch.pipelines.track_names import track_names
from aslbatch.schema import SOURCE_ROW, SOURCE_URI
from aslbatch.shards.commits import Commit
from aslbatch.shards.layout import SUCCESS, TRACKS
from aslbatch.shards.plan import Plan
from aslbatch.shards.shard import Shard
from aslbatch.storage.folder import Storage
from aslbatch.text.languages import language_name
from aslbatch.text.tracks import MOST_MS, WRITERS, TrackCue

_TIMES = ("first_cue", "last_cue", "start_ms", "end_ms")
_SCHEMA = pa.schema(
    [SOURCE_URI, SOURCE_ROW, *((name, pa.int64()) for name in _TIMES), ("translation", pa.string())]
)
_WRITERS_AT_ONCE = 8

Row = dict[str, Any]


@dataclass(slots=True)
class Export:
    """What an export came to.

    Attributes:
        uri: The folder with the tracks.
        tracks: Files written.
        cues: Cues in them.
        untimed_rows: Translated rows left out, as no time is known or none that can be written.
        negative_times: Times before 0, written as 0.
        rejected_rows: Rows of the run that have no translation, and so no cue.
        sources_without_track: Sources none of whose rows could be written.
    """

    uri: str
    tracks: int = 0
    cues: int = 0
    untimed_rows: int = 0
    negative_times: int = 0
    rejected_rows: int = 0
    sources_without_track: int = 0


@dataclass(slots=True)
class _Track:
    """The cues of one source; rows that share their cues and times are one cue."""

    uri: str
    cues: dict[tuple[int, int, int, int], list[tuple[int, str]]] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        key = (row["first_cue"], row["last_cue"], row["start_ms"], row["end_ms"])
        self.cues.setdefault(key, []).append((row["source_row"], row["translation"]))

    def in_order(self) -> Iterator[TrackCue]:
        for (_, _, start_ms, end_ms), texts in sorted(
            self.cues.items(), key=lambda cue: (cue[0][0], min(cue[1]))
        ):
            yield TrackCue(max(start_ms, 0), max(end_ms, 0), [text for _, text in sorted(texts)])


def export(
    storage: Storage,
    *,
    format: Literal["srt", "vtt"],  # noqa: A002 - named like the option of the command line
    to: str | None = None,
) -> Export:
    """Write one track for each subtitle file of a finished output.

    In memory are no more than the rows of one shard, and those of sources that span shards.

    Args:
        storage: The output folder.
        format: `srt` or `vtt`.
        to: The folder for the tracks, None for `tracks` in the output folder; files of the same
            names are replaced there. The options of `storage` are for it too if it is on storage
            of the same kind.

    Raises:
        IncompleteRunError: The run is not finished, or a file is not as it was committed.
        SinkError: The folder holds no run, its rows have no times, `to` lies among the files of
            the run, or cannot be written.
    """
    run = read_run_record(storage)
    if not storage.exists(SUCCESS):
        raise IncompleteRunError(f"{storage.uri}: the run is not finished; run the job again first")
    plan = load_plan(storage)
    _check_times(storage, plan)
    target = _target(storage, to)
    records = read_records(storage, plan.shards, run["run_id"])
    language = language_name(run["config"]["languages"]["target"])
    names = track_names(
        (uri for shard in plan.shards for uri in _sources(shard)), f".{language}.{format}"
    )
    done = Export(target.uri, rejected_rows=sum(r.rows - r.data.rows for r in records))
    with ThreadPoolExecutor(_WRITERS_AT_ONCE) as pool:
        for tracks in _tracks(storage, plan, records, done):
            list(pool.map(lambda track: _write(target, names[track.uri], track, format), tracks))
            done.tracks += len(tracks)
            done.cues += sum(len(track.cues) for track in tracks)
    done.sources_without_track = len(names) - done.tracks
    return done


def _check_times(storage: Storage, plan: Plan) -> None:
    """Check that rows say which cues they are and when.

    Raises:
        SinkError: A column is missing, or does not hold integers.
    """
    for name in _TIMES:
        index = plan.schema.get_field_index(name)
        if index < 0 or not pa.types.is_integer(plan.schema.field(index).type):
            raise SinkError(
                f"{storage.uri}: its rows have no column {name!r} with integers, so there are no "
                "times for a track; translate subtitle files, and if source.columns is set, name "
                f"{', '.join(_TIMES)} there"
            )


def _target(storage: Storage, to: str | None) -> Storage:
    """Return the folder for the tracks.

    Raises:
        SinkError: Files of the run lie there.
    """
    own = storage.below(TRACKS)
    if to is None:
        return own
    inside = f"{to.rstrip('/')}/track"
    if storage.holds(inside) and not own.holds(inside):
        raise SinkError(
            f"{to} lies among the files of the run in {storage.uri}; choose another folder for "
            "--to, or leave it out"
        )
    return storage.elsewhere(to)


def _tracks(
    storage: Storage, plan: Plan, records: Iterable[Commit], done: Export
) -> Iterator[list[_Track]]:
    """Yield the tracks that are whole after each shard."""
    last_shards = {uri: shard.index for shard in plan.shards for uri in _sources(shard)}
    begun: dict[str, _Track] = {}
    tables = translated_rows(storage, records, _SCHEMA)
    for shard, table in zip(plan.shards, tables, strict=True):
        for row in table.to_pylist():
            if _has_times(row):
                uri = row["source_uri"]
                begun.setdefault(uri, _Track(uri)).add(row)
                done.negative_times += (row["start_ms"] < 0) + (row["end_ms"] < 0)
            else:
                done.untimed_rows += 1
        yield [begun.pop(uri) for uri in list(begun) if last_shards[uri] == shard.index]


def _sources(shard: Shard) -> list[str]:
    return [piece.source.uri for piece in shard.pieces]


def _has_times(row: Row) -> bool:
    return all(row[name] is not None and row[name] <= MOST_MS for name in _TIMES)


def _write(target: Storage, name: str, track: _Track, format: str) -> None:  # noqa: A002
    target.publish(name, WRITERS[format](track.in_order()).encode())
