"""Many analyses of one question: specifications, subgroups, distributions, occasions."""
