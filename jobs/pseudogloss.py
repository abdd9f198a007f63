"""The pseudogloss job: `python -m jobs.pseudogloss CONFIG`, as `aslbatch pseudogloss CONFIG`."""

import sys

from aslbatch.cli import run

if __name__ == "__main__":
    run(["pseudogloss", *sys.argv[1:]])
