"""Training code: plain PyTorch and Hugging Face, importable without Ray."""
