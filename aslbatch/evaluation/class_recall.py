"""How many of the signs of a class a gloss has kept."""

from collections import Counter

from aslbatch.text.gloss import SignClass, normalized_gloss, sign_class


def kept_signs(hypothesis: str, reference: str) -> dict[SignClass, tuple[int, int]]:
    """Return for each class how many of its signs a hypothesis keeps, of how many in the reference.

    Both are normalized; order does not matter, number does.
    """
    ours = Counter(normalized_gloss(hypothesis).split())
    theirs = Counter(normalized_gloss(reference).split())
    found = dict.fromkeys(SignClass, (0, 0))
    for token, count in theirs.items():
        each = sign_class(token)
        if each is not None:
            kept, total = found[each]
            found[each] = (kept + min(count, ours[token]), total + count)
    return found
