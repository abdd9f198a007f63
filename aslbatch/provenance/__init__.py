"""Where rows come from: hashes, URIs and the identity of a run."""
