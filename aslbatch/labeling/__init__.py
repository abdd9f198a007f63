"""Glosses from a teacher: what is asked, of whom, and what of the answers can be believed."""
