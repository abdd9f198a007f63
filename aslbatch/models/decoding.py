"""How hypotheses are searched for: plain values, shared by every engine."""

from dataclasses import dataclass

TARGET_RATIO = 2.0
"""Target tokens for each source token up to which a bounded search goes at first."""


@dataclass(frozen=True, slots=True)
class Decoding:
    """Settings of the search, with the meaning that transformers' `generate` gives them.

    Attributes:
        num_beams: Hypotheses kept at each step; 1 is greedy (or plain sampling).
        max_length: Most tokens of a source or a target, special tokens included.
        length_penalty: Exponent of the length by which a sum of log-probabilities is divided.
        num_return_sequences: Hypotheses returned a sentence, best first.
        do_sample: Draw tokens at random instead of taking the most probable.
        temperature: Divides the logits before sampling.
        top_k: Sample among the k most probable tokens only; 0 means all.
        top_p: Sample among the fewest tokens that reach this probability; 1.0 means all.
        seed: Seed of the sampling.
    """

    num_beams: int = 4
    max_length: int = 128
    length_penalty: float = 1.0
    num_return_sequences: int = 1
    do_sample: bool = False
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 0

    def signature(self, version: str) -> str:
        """Return the settings as one string for provenance, in the way of sacreBLEU.

        Example:
            `beam:4|len:128|lp:1.0|v:0.3.0`

        Args:
            version: The version of aslbatch that decodes.
        """
        parts = [f"beam:{self.num_beams}", f"len:{self.max_length}", f"lp:{self.length_penalty}"]
        if self.num_return_sequences > 1:
            parts.append(f"n:{self.num_return_sequences}")
        if self.do_sample:
            parts += [
                f"sample:t{self.temperature}",
                f"k{self.top_k}",
                f"p{self.top_p}",
                f"seed:{self.seed}",
            ]
        return "|".join([*parts, f"v:{version}"])
