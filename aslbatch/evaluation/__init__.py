"""Measures of translation quality, without model code."""
