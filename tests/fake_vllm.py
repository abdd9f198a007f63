"""Stands in for the command `vllm`: `fake_vllm.py run-batch -i FILE -o FILE --model NAME`.

It answers with what the teacher's server of the tests says, so that one ledger holds what every
process did, and its faults befall this command too. From the environment:

    FAKE_VLLM_URL    the server, which speaks `teacher_openai_wire`
    FAKE_VLLM_HOLD   a file; while it is there, the model is still being loaded

As vLLM does, it writes its output bit by bit, writes errors beside the answers, and ends with
another exit code than 0 where the engine dies, here with half an output.
"""

import argparse
import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from teacher_openai_wire import RUN_BATCH


def main() -> None:
    arguments = _arguments()
    hold = Path(os.environ.get("FAKE_VLLM_HOLD", ""))
    _say(f"loading {arguments.model}")
    while hold.is_file():
        time.sleep(0.01)
    output = Path(arguments.output_file)
    output.write_text('{"id": "vllm-0", "custom')
    _say(f"reading {arguments.input_file}")
    answers = _answers(Path(arguments.input_file).read_bytes())
    output.write_bytes(answers)
    _say("batch complete")


def _answers(requests: bytes) -> bytes:
    url = os.environ["FAKE_VLLM_URL"] + RUN_BATCH
    while True:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, requests)) as response:
                return bytes(response.read())
        except urllib.error.HTTPError as error:
            with error:
                said = error.read().decode()
            if error.code == 500:
                sys.exit(f"Traceback ...\n{said}")
            if error.code not in (429, 503):
                raise
        except (urllib.error.URLError, ConnectionError):
            pass  # the network between this and the server is none of vLLM's
        time.sleep(0.01)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="vllm")
    parser.add_argument("command", choices=["run-batch"])
    parser.add_argument("-i", "--input-file", required=True)
    parser.add_argument("-o", "--output-file", required=True)
    parser.add_argument("--model", required=True)
    return parser.parse_args()


def _say(text: str) -> None:
    sys.stderr.write(f"INFO {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
