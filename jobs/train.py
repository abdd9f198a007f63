"""The train job: `python -m jobs.train CONFIG`, the same as `aslbatch train CONFIG`."""

import sys

from aslbatch.cli import run

if __name__ == "__main__":
    run(["train", *sys.argv[1:]])
