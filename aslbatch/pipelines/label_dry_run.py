"""What a labeling would come to, before a key is needed or anything is written: `--dry-run`."""

import os

from aslbatch.cluster.session import Cluster
from aslbatch.config.pseudogloss import PseudoglossConfig
from aslbatch.pipelines.failure import plain_errors
from aslbatch.pipelines.label_ask import open_asking
from aslbatch.pipelines.label_estimate import LabelEstimate, count, estimate_asking
from aslbatch.pipelines.label_run import open_label_run
from aslbatch.pipelines.pseudogloss import plan_texts
from aslbatch.pipelines.teachers import open_teacher


def dry_run(
    config: PseudoglossConfig, *, limit: int | None = None, verbose: bool = False
) -> LabelEstimate:
    """Return what asking for all that has no answer yet would come to.

    With a key in the environment the service checks it and may count the tokens of a few texts,
    which costs nothing.

    Args:
        config: The job.
        limit: Most rows read, None for all.
        verbose: Let Ray print what it prints.

    Raises:
        AslbatchError: As the job itself, before it sends anything.
    """
    run = open_label_run(config, limit=limit)
    with Cluster(verbose=verbose) as cluster, plain_errors():
        run, texts = plan_texts(run, cluster)
    asking, _, _ = open_asking(run, texts)
    name = config.teacher.key_name
    if name and os.environ.get(name):
        teacher = open_teacher(config.teacher, config.run, work_name=run.work_name)
        teacher.check()
        count(asking, teacher)
    return estimate_asking(asking, config, rows=run.planned.rows)
