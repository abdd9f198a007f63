"""One module a job, as `ray job submit` runs it: `python -m jobs.translate CONFIG`."""
