"""`datasets.load_dataset` on an output: from its folder, and from the Hub where it was pushed."""

import shutil

import yaml
from sample import read

from aslbatch.pipelines.accounts import load_plan
from aslbatch.pipelines.card import dataset_card
from aslbatch.pipelines.run_record import read_run_record, recorded_output
from aslbatch.storage.folder import Storage

NAME = "org/glosses"


def load(place, revision=None, name=None, **options):
    """Return the rows of the only split, which is `train`."""
    from datasets import load_dataset

    [(split, rows)] = load_dataset(place, name, revision=revision, **options).items()
    assert split == "train"
    return in_order(rows)


def look(place):
    """Return the configurations, and the rows of each, loaded and streamed in a fresh process."""
    from datasets import get_dataset_config_names

    names = get_dataset_config_names(place)
    each = [(name, streaming) for name in (None, "rejected") for streaming in (False, True)]
    return names, [load(place, name=name, streaming=streaming) for name, streaming in each]


def in_order(rows):
    return sorted(rows, key=lambda row: (row["source_uri"], row["source_row"]))


def front_matter(card):
    return yaml.safe_load(card.split("---\n")[1])


def test_an_output_loads_from_its_folder_and_from_the_hub_with_equal_rows(finished, hub):
    out = finished / "out"
    data, rejected = in_order(read(out)), in_order(read(out, "rejected"))
    assert len(data) + len(rejected) == 72
    expected = ["default", "rejected"], [data, data, rejected, rejected]
    assert hub.call(look, str(out)) == expected
    hub.publish("datasets", NAME, out)
    assert hub.call(look, NAME) == expected


def test_a_pinned_revision_keeps_its_rows(finished, hub):
    out = finished / "out"
    first = hub.publish("datasets", NAME, out)
    [kept, *_] = sorted((out / "data").iterdir())
    files = {"README.md": (out / "README.md").read_bytes(), f"data/{kept.name}": kept.read_bytes()}
    hub.publish("datasets", NAME, files)
    assert hub.call(load, NAME, first) == in_order(read(out))
    # The rejected rows, which the card still names, were not pushed along.
    assert hub.call(load, NAME) == in_order(read(out, f"data/{kept.name}"))


def test_a_run_that_rejected_nothing_names_no_such_configuration(done):
    storage = Storage(str(done / "out"))
    record = read_run_record(storage)
    summary = {"translated": 3, "rejected": {}, "source_tokens": 9, "target_tokens": 7}
    summary |= {"audited": 0, "agreed": 0}
    card = dataset_card(record, summary, recorded_output(record, load_plan(storage)))
    assert [config["config_name"] for config in front_matter(card)["configs"]] == ["default"]
    shutil.rmtree(done / "out" / "rejected")
    (done / "out" / "README.md").write_text(card)
    assert load(str(done / "out"), cache_dir=str(done / "cache")) == in_order(read(done / "out"))
