"""Several measures of one thing combined into one index, and what each of them adds to it."""
