"""Before and after, with and without: which times are which, and whether the arms moved alike before."""
