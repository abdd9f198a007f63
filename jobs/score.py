"""The score job: `python -m jobs.score CONFIG`, the same as `aslbatch score CONFIG`."""

import sys

from aslbatch.cli import run

if __name__ == "__main__":
    run(["score", *sys.argv[1:]])
