"""The grammar, the vocabulary and the sample corpus of the model shipped as ``demo``."""
