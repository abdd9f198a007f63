"""Translations of the demo model that must not change unnoticed.

`python tests/golden/test_demo_glosses.py` writes them anew, after the model was trained anew.
"""

import json
from pathlib import Path

from aslbatch.models.checkpoint import DEMO_FOLDER
from aslbatch.models.decoding import Decoding
from aslbatch.models.engines import load_engine

GOLDEN = Path(__file__).with_name("demo_glosses.json")
ENGLISH = [
    "The boy bought a red car yesterday.",
    "Where do you live?",
    "I don't like coffee.",
    "My sister's name is Anna.",
    "She will visit the museum tomorrow.",
    "If it rains, we will stay home.",
    "Did you see my keys?",
    "Dolores met Zorblax at the station.",
    "He has 3 dogs and 2 cats.",
    "Stop!",
]


def translate():
    """Return the demo model's gloss of each sentence, on a CPU in float32."""
    engine, tokenizer = load_engine(
        DEMO_FOLDER, languages=("en_XX", "asl_GL"), precision="float32", device="cpu"
    )
    batch = [text.tokens for text in tokenizer.encode(ENGLISH, "en_XX", 128)]
    found = engine.translate(batch, target_lang="asl_GL", decoding=Decoding())
    glosses = tokenizer.decode([best.tokens for best, *_ in found])
    return dict(zip(ENGLISH, glosses, strict=True))


def test_the_demo_model_translates_as_before():
    assert translate() == json.loads(GOLDEN.read_text(encoding="utf-8"))


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(translate(), indent=1) + "\n", encoding="utf-8")
