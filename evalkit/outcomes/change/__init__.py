"""Change from a defined starting point: of single people, on ladders, over occasions, and as an effect size."""
