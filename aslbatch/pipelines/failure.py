"""Errors of this package out of the wrappings that Ray puts around them."""

from collections.abc import Iterator
from contextlib import contextmanager

import ray.exceptions

from aslbatch.errors import AslbatchError


@contextmanager
def plain_errors() -> Iterator[None]:
    """Raise the error that a worker raised on purpose, instead of Ray's account of it.

    Raises:
        AslbatchError: What the worker raised, or, for other failures of a worker, their message.
    """
    try:
        yield
    except ray.exceptions.RayError as error:
        last = str(error).strip().rpartition("\n")[2]
        raise _find(error) or AslbatchError(f"a worker failed: {last}; -v shows more") from error
    except AslbatchError:
        raise
    except Exception as error:
        if found := _find(error):
            raise found from error
        raise


def _find(error: BaseException | None) -> AslbatchError | None:
    """Search causes and contexts, and what Ray keeps under `cause`."""
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
        todo += [getattr(current, "cause", None), current.__cause__, current.__context__]
    return None
