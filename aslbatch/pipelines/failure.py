"""Errors of this package out of the wrappings that Ray puts around them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import ray.exceptions

from aslbatch.errors import AslbatchError

_ERROR_LINE = re.compile(r"\s*[\w.]+(Error|Exception|Interrupt)\b.*")


@contextmanager
def plain_errors() -> Iterator[None]:
    """Raise the error that a worker raised on purpose, instead of Ray's account of it.

    Raises:
        AslbatchError: What the worker raised, or, for other failures of a worker, their message.
    """
    try:
        yield
    except ray.exceptions.RayError as error:
        raise find_error(error) or AslbatchError(
            f"a worker failed: {_headline(error)}; -v shows more"
        ) from error
    except AslbatchError:
        raise
    except Exception as error:
        if found := find_error(error):
            raise found from error
        raise


def _headline(error: Exception) -> str:
    """Return the line of Ray's long account that names the first error."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    named = (line for line in lines if _ERROR_LINE.match(line))
    return next(named, lines[-1]).strip()


def find_error(error: BaseException | None) -> AslbatchError | None:
    """Return this package's error in causes and contexts, and in what Ray keeps elsewhere."""
    seen: set[int] = set()
    todo = [error]
    while todo:
        current = todo.pop()
        if current is None or id(current) in seen:
            continue
        # Ray also dresses its own error up as an instance of the cause's class.
        if isinstance(current, AslbatchError) and not isinstance(current, ray.exceptions.RayError):
            return current
        seen.add(id(current))
        # Ray Train keeps the errors of its workers by their ranks, and that of its controller.
        todo += getattr(current, "worker_failures", {}).values()
        todo += [getattr(current, name, None) for name in ("cause", "controller_failure")]
        todo += [current.__cause__, current.__context__]
    return None
