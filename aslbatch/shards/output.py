"""What the files of an output look like: their columns, and how these become bytes."""

from dataclasses import dataclass

import pyarrow as pa

from aslbatch.errors import SourceError
from aslbatch.schema import label_fields, rejection_fields, translation_fields
from aslbatch.shards.encoding import JSONL, PARQUET, Encoding
from aslbatch.shards.json_lines import without_json
from aslbatch.shards.parquet_bytes import without_parquet


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """What a published file looks like.

    Attributes:
        source_schema: The source's own columns.
        alternatives: Whether rows hold further hypotheses.
        compression: `zstd`, `none`, or a codec of Parquet.
        format: `parquet` or `jsonl`.
        labels: Whether a teacher made the rows, not a translation model.
    """

    source_schema: pa.Schema
    alternatives: bool
    compression: str
    format: str = PARQUET
    labels: bool = False

    @property
    def data_schema(self) -> pa.Schema:
        """Schema of the files under `data/`."""
        added = (
            label_fields() if self.labels else translation_fields(alternatives=self.alternatives)
        )
        return pa.schema([*self.source_schema, *added])

    @property
    def rejected_schema(self) -> pa.Schema:
        """Schema of the files under `rejected/`."""
        nullable = [field.with_nullable(True) for field in self.source_schema]
        return pa.schema([*nullable, *rejection_fields()])

    @property
    def encoding(self) -> Encoding:
        """How tables become files."""
        return Encoding(self.format, self.compression)

    def check_columns(self) -> None:
        """Check that the format can hold the source's columns.

        Raises:
            SourceError: It cannot; the message names each such column.
        """
        if self.format == JSONL:
            odd = without_json(self.source_schema)
            what, or_else = "JSON lines", ", or set sink.format to parquet"
        else:
            odd = without_parquet(self.source_schema)
            what, or_else = "Parquet", ""
        if odd:
            names = ", ".join(f"{field.name!r} ({field.type})" for field in odd)
            raise SourceError(
                f"columns that {what} cannot hold: {names}; leave them out with "
                f"source.columns{or_else}"
            )
