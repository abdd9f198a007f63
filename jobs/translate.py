"""The translate job: `python -m jobs.translate CONFIG`, the same as `aslbatch translate CONFIG`."""

import sys

from aslbatch.cli import main

if __name__ == "__main__":
    main(["translate", *sys.argv[1:]])
