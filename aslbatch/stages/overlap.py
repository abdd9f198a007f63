"""Work in parts, with what comes before and after it done beside it."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Prepared = TypeVar("Prepared")
Done = TypeVar("Done")
Result = TypeVar("Result")


def overlapped(
    items: Sequence[Item],
    size: int,
    *,
    prepare: Callable[[Sequence[Item]], Prepared],
    work: Callable[[Prepared], Done],
    finish: Callable[[Done], list[Result]],
) -> list[Result]:
    """Do something with items, part after part.

    Args:
        items: What is worked on.
        size: Items of a part.
        prepare: Makes a part ready, in a thread, while the one before is worked on.
        work: What takes the time; always in the caller's thread.
        finish: Makes the results of a part, in the same thread, while the next is worked on.

    Returns:
        All results, in the order of the items.
    """
    parts = [items[start : start + size] for start in range(0, len(items), size)]
    finished: list[Future[list[Result]]] = []
    with ThreadPoolExecutor(1) as beside:
        ready = [beside.submit(prepare, part) for part in parts[:1]]
        for number in range(len(parts)):
            prepared = ready.pop().result()
            ready += [beside.submit(prepare, part) for part in parts[number + 1 : number + 2]]
            finished.append(beside.submit(finish, work(prepared)))
    return [result for part in finished for result in part.result()]
