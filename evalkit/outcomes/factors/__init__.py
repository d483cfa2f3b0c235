"""Factor models by maximum likelihood: their structure, their fit, and the search for the maximum."""
