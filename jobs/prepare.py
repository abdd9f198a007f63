"""The prepare job: `python -m jobs.prepare CONFIG`, the same as `aslbatch prepare CONFIG`."""

import sys

from aslbatch.cli import run

if __name__ == "__main__":
    run(["prepare", *sys.argv[1:]])
