"""Job configurations: one YAML file a job, validated before any work starts."""
