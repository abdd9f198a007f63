"""What a benchmark ran on, and the small model that several of them use."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import psutil

_PACKAGES = ("aslbatch", "ray", "torch", "transformers", "pyarrow", "numpy")
_ROOT = Path(__file__).parents[1]


def machine() -> dict[str, object]:
    """Return processor, memory, versions and commit."""
    return {
        "cpus": os.cpu_count(),
        "cpu": _cpu(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "load_average": os.getloadavg()[0],
        "platform": platform.platform(),
        "python": platform.python_version(),
        "versions": {package: version(package) for package in _PACKAGES},
        "commit": _git("rev-parse", "HEAD"),
        "uncommitted_changes": bool(_git("status", "--porcelain", "--", "aslbatch")),
    }


def tiny_checkpoint(folder: Path) -> Path:
    """Write the random checkpoint of the tests, which has one layer of 16 numbers."""
    import torch
    from transformers import MBart50Tokenizer, MBartConfig, MBartForConditionalGeneration

    letters = [chr(code) for code in range(33, 127)]
    pieces = ["<unk>", "<s>", "</s>", "▁", *letters, *(f"▁{letter}" for letter in letters)]
    tokenizer = MBart50Tokenizer(vocab=[(piece, -float(len(piece))) for piece in pieces])
    tokenizer.add_special_tokens(
        {"bos_token": "<s>", "extra_special_tokens": ["asl_GL"]},
        replace_extra_special_tokens=False,
    )
    torch.manual_seed(0)
    config = MBartConfig(
        vocab_size=len(tokenizer),
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        max_position_embeddings=256,
        scale_embedding=True,
        decoder_start_token_id=2,
        forced_eos_token_id=2,
        tokenizer_class="MBart50Tokenizer",
    )
    MBartForConditionalGeneration(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _git(*words: str) -> str:
    command = ["git", "-C", str(_ROOT), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
