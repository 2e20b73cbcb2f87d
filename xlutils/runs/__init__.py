"""Run notebooks: their parameters, one run, many runs."""
