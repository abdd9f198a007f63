"""Load a checkpoint into the engine that runs it."""

from pathlib import Path

from aslbatch.models.capabilities import AUTO, Choice, choose_engine
from aslbatch.models.checkpoint import find_checkpoint
from aslbatch.models.decoding import TARGET_RATIO, Decoding
from aslbatch.models.engine import Engine
from aslbatch.models.shortlist import Shortlist
from aslbatch.models.tokenizer import Tokenizer


def load_engine(
    folder: Path,
    *,
    languages: tuple[str, ...],
    engine: str = AUTO,
    precision: str = AUTO,
    device: str = AUTO,
    threads: int | None = None,
    decoding: Decoding | None = None,
    shortlist: Shortlist | None = None,
    target_ratio: float | None = TARGET_RATIO,
    fingerprint: str | None = None,
) -> tuple[Engine, Tokenizer]:
    """Load a checkpoint into an engine.

    Args:
        folder: The checkpoint's folder.
        languages: mBART-50 codes that it must know.
        engine: `auto`, or a key of `CAPABILITIES`.
        precision: `auto`, `int8`, `float32`, `bfloat16` or `float16`.
        device: `auto`, `cpu` or `cuda`.
        threads: CPU threads of a computation; None leaves the engine's own choice.
        decoding: What the engine will be asked for; the default is the model card's.
        shortlist: What may be generated; engines that cannot restrict it generate everything.
        target_ratio: Target tokens for each source token up to which a search goes at first, where
            the engine bounds its searches; it changes no result.
        fingerprint: The checkpoint's SHA-256 where it is known already.

    Raises:
        ModelError: The checkpoint is not what a translation needs, or the engine cannot do it.
    """
    if device == AUTO:
        from aslbatch.models.loading import choose_device

        device = choose_device()
    choice = choose_engine(
        folder,
        engine=engine,
        precision=precision,
        device=device,
        decoding=decoding or Decoding(),
    )
    if choice.engine != "ctranslate2":
        return _load_torch(folder, languages, choice, threads, shortlist, target_ratio)
    from aslbatch.models.conversion import converted
    from aslbatch.models.ctranslate2_loading import load_ctranslate2

    tokenizer = Tokenizer.load(folder)
    for language in languages:
        tokenizer.language_id(language)
    fingerprint = fingerprint or find_checkpoint(str(folder)).sha256
    return (
        load_ctranslate2(
            converted(folder, fingerprint=fingerprint, precision=choice.precision),
            tokenizer,
            precision=choice.precision,
            device=device,
            threads=threads,
            shortlist=shortlist,
            target_ratio=target_ratio,
        ),
        tokenizer,
    )


def _load_torch(
    folder: Path,
    languages: tuple[str, ...],
    choice: Choice,
    threads: int | None,
    shortlist: Shortlist | None,
    target_ratio: float | None,
) -> tuple[Engine, Tokenizer]:
    import torch

    from aslbatch.models.cuda_engine import CudaEngine
    from aslbatch.models.loading import load_model
    from aslbatch.models.transformers_engine import TransformersEngine

    if threads is not None:
        torch.set_num_threads(threads)
    loaded = load_model(
        folder, languages=languages, precision=choice.precision, device=choice.device
    )
    if choice.engine == "cuda":
        return CudaEngine.load(loaded, shortlist, target_ratio), loaded.tokenizer
    return TransformersEngine(loaded), loaded.tokenizer
