"""Where models are kept between jobs on one machine."""

import os
from pathlib import Path


def cache_folder(kind: str) -> Path:
    """Return the folder of one kind of cached models; it may not exist yet.

    Args:
        kind: `models` for checkpoints copied from storage, `engines` for converted ones.
    """
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "aslbatch" / kind
