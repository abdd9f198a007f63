"""Workers of a training: what is asked for fits on nodes, not on their sum."""

import pytest

from aslbatch.config.train import TrainRunSection
from aslbatch.errors import ConfigError
from aslbatch.pipelines.train_crew import crew_of


def crew(nodes, *, may_grow=True, **run):
    resources = [{"CPU": float(cpus), "GPU": float(gpus)} for cpus, gpus in nodes]
    return crew_of(TrainRunSection(**run), resources, may_grow=may_grow)


@pytest.mark.parametrize(
    ("nodes", "run", "expected"),
    [
        ([(8, 0)], {}, (1, 8, 0)),
        ([(8, 0)], {"workers": 3}, (3, 2, 0)),
        ([(4, 0), (4, 0)], {}, (1, 4, 0)),  # not 8, which no node has
        ([(4, 0), (4, 0)], {"workers": 3}, (3, 2, 0)),
        ([(12, 0), (4, 0)], {"workers": 3}, (3, 4, 0)),  # three on the large one, or two and one
        ([(4, 0), (4, 0)], {"workers": 2, "cpus_per_worker": 6}, (2, 4, 0)),
        ([(0, 0), (8, 0)], {}, (1, 8, 0)),  # a head without cores
        ([(16, 2), (8, 4)], {}, (6, 2, 1)),
        ([(64, 0), (8, 2)], {}, (2, 4, 1)),  # the large one has no GPU
        ([(2, 4)], {}, (2, 1, 1)),  # a GPU without a core is no worker
        ([(16, 4)], {"cpus_per_worker": 8}, (2, 8, 1)),
        ([(8, 2)], {"gpus_per_worker": 0}, (1, 8, 0)),
        ([(4, 0)], {"gpus_per_worker": 1}, (1, 1, 1)),  # one may come
        ([(0, 0)], {"workers": 4, "cpus_per_worker": 6}, (4, 6, 0)),
    ],
)
def test_workers_go_by_single_nodes(nodes, run, expected):
    found = crew(nodes, **run)
    assert (found.workers, found.threads, found.gpus) == expected


@pytest.mark.parametrize("cpus", [1, 2, 7, 8, 31])
@pytest.mark.parametrize("workers", [1, 2, 5])
def test_nodes_take_as_many_workers_as_they_have_threads_for_and_a_little_is_left(cpus, workers):
    found = crew([(cpus, 0)], workers=workers)
    fit = cpus // found.threads
    assert int(cpus / found.logical_cpus) == fit
    assert fit * found.logical_cpus < cpus


@pytest.mark.parametrize(
    ("node", "run"),
    [
        ((2, 0), {"workers": 3}),
        ((2, 0), {"cpus_per_worker": 3}),
        ((8, 0), {"workers": 3, "cpus_per_worker": 3}),
        ((2, 0), {"gpus_per_worker": 1}),
        ((8, 2), {"workers": 3}),
    ],
)
def test_what_this_machine_has_not_is_refused_instead_of_waited_for(node, run):
    there = f"do not fit on this machine with {node[0]} CPUs and {node[1]} GPUs; lower run.workers"
    with pytest.raises(ConfigError, match=rf"run\.workers: \d with .*{there}"):
        crew([node], may_grow=False, **run)
    assert crew([node], may_grow=True, **run).workers
