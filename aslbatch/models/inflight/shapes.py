"""Lengths rounded up, so that there are few shapes: of few, few graphs are made."""

_LEAST_STEP, _STEPS = 8, 4


def rounded(length: int) -> int:
    """Return a length rounded up by 8 to 32, by 16 to 64, by 32 to 128, and so on."""
    step = _LEAST_STEP
    while length > _STEPS * step:
        step *= 2
    return -(-length // step) * step
