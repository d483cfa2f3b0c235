"""Items: how reliable their sum is, and whether they measure the same everywhere."""
