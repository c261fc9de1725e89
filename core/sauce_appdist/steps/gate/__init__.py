"""The gate: options, what it observes, when it looks, and the step."""
