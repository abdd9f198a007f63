"""Jobs and tools, each composed of the parts below."""
