"""Published results, one file for each paper."""
