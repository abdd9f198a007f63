"""Files of strangers make no Arrow extension types, above all none that unpickles."""

import base64
import pickle
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from planning import plan_of, read_all
from ray.data._internal.object_extensions.arrow import ArrowPythonObjectType
from ray.data._internal.tensor_extensions import arrow as tensors

from aslbatch.errors import SourceError

CALLS: list[str] = []
OBJECT = {b"ARROW:extension:name": b"ray.data.arrow_pickled_object"}


def note(what: str) -> str:
    """Stand for what a hostile pickle calls."""
    CALLS.append(what)
    return what


class Hostile:
    """An object that calls `note` when it is unpickled."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __reduce__(self):
        return note, (self.what,)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    CALLS.clear()
    return tmp_path


def hostile_table(what: str, *, nested: bool = False) -> pa.Table:
    """A table with a pickle in it, that says so in the metadata of its field."""
    field = pa.field("x", pa.large_binary(), metadata=OBJECT)
    array = pa.array([pickle.dumps(Hostile(what))] * 2, pa.large_binary())
    if nested:
        array = pa.StructArray.from_arrays([array], fields=[field])
        field = pa.field("x", pa.struct([field]))
    fields = [pa.field("text", pa.string()), field]
    return pa.Table.from_arrays([pa.array(["a", "b"]), array], schema=pa.schema(fields))


def tensor_table(what: str) -> pa.Table:
    """A table that holds no pickle, but whose schema does."""
    metadata = {
        b"ARROW:extension:name": b"ray.data.arrow_tensor",
        b"ARROW:extension:metadata": pickle.dumps(Hostile(what)),
    }
    schema = pa.schema(
        [("text", pa.string()), pa.field("x", pa.list_(pa.int64()), metadata=metadata)]
    )
    return pa.Table.from_arrays([pa.array(["a"]), pa.array([[1]])], schema=schema)


def write(name: str, table: pa.Table) -> str:
    if name.endswith("parquet"):
        pq.write_table(table, name)
    else:
        kind = pa.ipc.new_file if "file" in name else pa.ipc.new_stream
        with kind(name, table.schema) as writer:
            writer.write_table(table)
    return name


def open_plainly(name: str) -> pa.Table:
    if name.endswith("parquet"):
        return pq.ParquetFile(name).read()
    with (pa.ipc.open_file if "file" in name else pa.ipc.open_stream)(name) as reader:
        return reader.read_all()


NAMES = pytest.mark.parametrize("name", ["a.parquet", "stream.arrow", "file.arrow"])


@NAMES
@pytest.mark.parametrize("nested", [False, True])
def test_looking_at_a_pickled_object_unpickles_it_but_not_here(name, nested):
    write(name, hostile_table("looked at", nested=nested))
    plain = open_plainly(name)
    kind = plain.schema.field("x").type
    assert isinstance(kind.field(0).type if nested else kind, ArrowPythonObjectType)
    plain["x"].to_pylist()
    assert CALLS == ["looked at"] * 2  # so the attack works where nothing is done against it
    CALLS.clear()
    table = read_all(plan_of(name))
    stored = [row["x"] if nested else row for row in table["x"].to_pylist()]
    assert stored == [pickle.dumps(Hostile("looked at"))] * 2
    assert CALLS == []
    assert table["_text"].to_pylist() == ["a", "b"]


@NAMES
def test_opening_a_tensor_may_unpickle_its_shape_but_not_here(name, monkeypatch):
    monkeypatch.setattr(tensors, "_AUTOLOAD_CLOUDPICKLE_TENSOR_METADATA", True)
    write(name, tensor_table(f"plainly {name}"))
    open_plainly(name)
    assert set(CALLS) == {f"plainly {name}"}
    CALLS.clear()
    write(name, tensor_table(f"here {name}"))
    table = read_all(plan_of(name))
    assert CALLS == []
    assert table["x"].to_pylist() == [[1]]
    assert table.schema.field("x").type == pa.list_(pa.int64())


@NAMES
def test_a_tensor_that_ray_refuses_is_read_as_it_is_stored(name):
    write(name, tensor_table(f"refused {name}"))
    with pytest.raises(ValueError, match="Unable to deserialize"):
        open_plainly(name)
    assert read_all(plan_of(name))["x"].to_pylist() == [[1]]


def test_an_arrow_schema_that_is_not_plain_to_see_is_not_used():
    schema = hostile_table("hidden").schema.serialize().to_pybytes()
    hidden = base64.b64encode(schema)
    broken_up = b"\n".join(hidden[i : i + 60] for i in range(0, len(hidden), 60))
    table = pa.table({"text": ["a"], "x": pa.array([b"."], pa.binary())})
    for number, value in enumerate((broken_up, hidden + b"====", hidden)):
        name = f"{number}.parquet"
        metadata = {b"ARROW:schema": value, b"other": b"ARROW:schema"}
        with pq.ParquetWriter(name, table.schema, store_schema=False) as writer:
            writer.write_table(table)
            writer.add_key_value_metadata(metadata)
        assert value in Path(name).read_bytes()
        assert read_all(plan_of(name))["x"].type == pa.binary()


def test_types_of_parquet_itself_are_storage_types_too():
    kinds = {"text": pa.json_(pa.string()), "x": pa.uuid()}
    storage = {"text": ['"a"'], "x": [b"0123456789abcdef"]}
    arrays = [
        pa.ExtensionArray.from_storage(kind, pa.array(storage[name], kind.storage_type))
        for name, kind in kinds.items()
    ]
    for name in ("a.parquet", "b.arrow"):
        table = read_all(plan_of(write(name, pa.Table.from_arrays(arrays, names=list(kinds)))))
        assert table.select(["text", "x"]).to_pydict() == storage
        assert table.schema.field("x").type == pa.binary(16)


def test_a_file_without_declared_types_keeps_those_of_its_schema():
    table = pa.table({"text": pa.array(["a"], pa.large_string())})
    assert read_all(plan_of(write("a.parquet", table)))["text"].type == pa.large_string()
    assert Path("a.parquet").read_bytes().count(b"ARROW:schema") == 1


@pytest.mark.parametrize(
    "data", [b"PAR1", b"x" * 7, b"x" * 4 + b"PAR1", b"\xff\xff\xff\x7fPAR1", b"\0" * 8 + b"PAR1"]
)
def test_a_footer_that_lies_is_an_error(data):
    Path("a.parquet").write_bytes(data)
    with pytest.raises(SourceError, match=r"a\.parquet: cannot be read"):
        plan_of("a.parquet")
