"""Which failures of a training's workers end it: those that would only come again."""

from ray.train import UserCallback

from aslbatch.pipelines.failure import find_error


class EndAtFault(UserCallback):  # type: ignore[misc]
    """Ends a training at an error that a worker raised on purpose.

    A source that changed, or a configuration that cannot work, is the same the next time. Ray Train
    tells neither from a worker that was killed, or whose node was lost, and would try all again.
    """

    def after_exception(self, run_context: object, worker_exceptions: dict[int, Exception]) -> None:
        """Raise the first error of this package, which Ray Train then does not retry.

        Args:
            run_context: Of the training.
            worker_exceptions: What workers raised, or what became of them, by their ranks.

        Raises:
            AslbatchError: What a worker raised.
        """
        for exception in worker_exceptions.values():
            if error := find_error(exception):
                raise error
