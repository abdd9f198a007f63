"""Load a converted checkpoint into CTranslate2."""

import ctypes
import os
import sys
from pathlib import Path

import ctranslate2

from aslbatch.errors import ModelError
from aslbatch.models.cache import make_once
from aslbatch.models.ctranslate2_engine import CTranslate2Engine
from aslbatch.models.shortlist import Shortlist
from aslbatch.models.tokenizer import Tokenizer

_COMPUTE_TYPES = {("int8", "cpu"): "int8_float32", ("int8", "cuda"): "int8_bfloat16"}
_VOCABULARY_MAP = "vmap.txt"

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -2, -4, -8
_NEVER = 2**31 - 1
_TOP_PAD_BYTES = 64 << 20
_ISA = "CT2_FORCE_CPU_ISA"
_AVX512 = {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}


def load_ctranslate2(
    folder: Path,
    tokenizer: Tokenizer,
    *,
    precision: str,
    device: str,
    threads: int | None,
    shortlist: Shortlist | None,
    target_ratio: float | None,
) -> CTranslate2Engine:
    """Load a converted checkpoint.

    Args:
        folder: Where `aslbatch.models.conversion` left it.
        tokenizer: The tokenizer of the checkpoint.
        precision: The type of its weights.
        device: `cpu` or `cuda`.
        threads: CPU threads of a computation; None leaves CTranslate2's own choice.
        shortlist: What may be generated; None for everything.
        target_ratio: See `aslbatch.models.ctranslate2_engine`.

    Raises:
        ModelError: The device or the machine cannot run it, or the folder is damaged.
    """
    if device == "cpu":
        _keep_freed_memory()
        _use_wide_vectors()
    listed = folder if shortlist is None else _with_vocabulary_map(folder, shortlist, tokenizer)
    try:
        translator = ctranslate2.Translator(
            str(listed),
            device=device,
            compute_type=_COMPUTE_TYPES.get((precision, device), precision),
            inter_threads=1,
            intra_threads=threads or 0,
        )
    except (RuntimeError, ValueError) as error:
        raise ModelError(
            f"CTranslate2 cannot load {folder} as {precision} on {device}: {error}; delete the "
            f"folder if it is damaged, or set model.engine to transformers"
        ) from error
    return CTranslate2Engine(
        translator, tokenizer, precision=precision, target_ratio=target_ratio, shortlist=shortlist
    )


def _with_vocabulary_map(folder: Path, shortlist: Shortlist, tokenizer: Tokenizer) -> Path:
    """Return a folder beside the converted one: the same model, the shortlist as vocabulary map.

    A line that begins with a tab names tokens that any source may give. CTranslate2 gathers their
    rows of the output matrix once a batch, which costs milliseconds, so that one model in memory
    serves with the list and without.
    """

    def make(partial: Path) -> None:
        pieces = (tokenizer.pieces[index] for index in shortlist.ids)
        words = " ".join(piece for piece in pieces if not any(map(str.isspace, piece)))
        for file in folder.iterdir():
            (partial / file.name).symlink_to(Path("..") / folder.name / file.name)
        (partial / _VOCABULARY_MAP).write_text(f"\t{words}\n", encoding="utf-8")

    target = folder.with_name(f"{folder.name}-{shortlist.signature.replace(':', '-')}")
    try:
        make_once(target, make)
    except OSError as error:
        raise ModelError(
            f"{target}: cannot be written ({error.strerror or error}); set XDG_CACHE_HOME to a "
            f"folder that can, or model.shortlist to off"
        ) from error
    return target


def _keep_freed_memory() -> None:
    """Have the allocator keep what is freed: the next batch wants as much again.

    By default glibc gives large buffers back to the system and gets them again as fresh pages at
    each step, which the system has to clear; about a tenth of the time went there.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        for option, value in (
            (_M_ARENA_MAX, 1),
            (_M_MMAP_MAX, 0),
            (_M_TRIM_THRESHOLD, _NEVER),
            (_M_TOP_PAD, _TOP_PAD_BYTES),
        ):
            libc.mallopt(option, value)


def _use_wide_vectors() -> None:
    """Have CTranslate2 use AVX-512 where the processor has it, which it does on request only.

    What the environment says already is left alone.
    """
    cpu = Path("/proc/cpuinfo")
    if _ISA not in os.environ and cpu.exists():
        flags = next((line for line in cpu.read_text().splitlines() if line[:5] == "flags"), "")
        if set(flags.split()) >= _AVX512:
            os.environ[_ISA] = "AVX512"
