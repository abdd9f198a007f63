"""A whole job whose model and sources lie on the Hub; it runs in a process that knows that Hub."""

from hub_server import TOKEN
from sample import LINES, config, read

from aslbatch.models.checkpoint import DEMO_FOLDER


def translate_to(out):
    from aslbatch.pipelines.translate import translate

    job = config(
        source={"paths": ["hf://datasets/org/lines"]},
        model={"name": "org/demo"},
        decoding={"num_beams": 1},
        sink={"path": out},
    )
    return translate(job).rows


def test_rows_say_which_commits_model_and_sources_came_from(hub, tmp_path):
    model = hub.publish("models", "org/demo", DEMO_FOLDER, private=True)
    files = {"README.md": b"", "data/a.txt": "\n".join(LINES).encode()}
    source = hub.publish("datasets", "org/lines", files, private=True)
    out = tmp_path / "out"
    assert hub.call(translate_to, str(out), HF_TOKEN=TOKEN) == len(LINES)
    rows = read(out)
    assert {row["model_revision"] for row in rows} == {model}
    assert {row["model"] for row in rows} == {"org/demo"}
    assert {row["source_uri"] for row in rows} == {f"hf://datasets/org/lines@{source}/data/a.txt"}
    written = [path for path in out.rglob("*") if path.is_file()]
    assert [path for path in written if TOKEN.encode() in path.read_bytes()] == []
