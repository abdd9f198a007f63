"""The alarm that halts a labeling whose answers are of no use, before more is paid for."""

from aslbatch.errors import QualityAlarmError

_FEWEST = 20


class UsableAnswers:
    """Counts usable answers, group by group, and halts where two groups in a row have too few.

    One alone may be a job that failed on the side of the service.

    Attributes:
        is_alert: Whether the last group had too few.
    """

    def __init__(self, least_share: float) -> None:
        self._least_share = least_share
        self.is_alert = False

    def add(self, answers: int, usable: int, reason: str) -> None:
        """Count a group of answers.

        Args:
            answers: How many; of fewer than 20 nothing is concluded.
            usable: Those with a gloss.
            reason: What most of the others are, for people.

        Raises:
            QualityAlarmError: It and the group before have too few usable ones.
        """
        if answers < _FEWEST:
            return
        is_poor = usable < self._least_share * answers
        if is_poor and self.is_alert:
            raise QualityAlarmError(
                f"only {usable:,} of the last {answers:,} answers are usable, and about as few "
                f"before them; most others: {reason}; what is usable is kept. Mend the cause, such "
                f"as too small a teacher.max_output_tokens, or lower run.min_usable_share; the "
                f"same command goes on. Another model or prompt is another run"
            )
        self.is_alert = is_poor
