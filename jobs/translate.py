"""The translate job: `python -m jobs.translate CONFIG`, the same as `aslbatch translate CONFIG`."""

import sys

from aslbatch.cli import run

if __name__ == "__main__":
    run(["translate", *sys.argv[1:]])
