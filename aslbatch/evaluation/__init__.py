"""Measures of translation quality; pure Python, no model code."""
