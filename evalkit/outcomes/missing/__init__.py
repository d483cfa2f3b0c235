"""People who were not seen: completed sets pooled, and how far the unseen would have to differ."""
