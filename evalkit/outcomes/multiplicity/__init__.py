"""Several tests at once: adjusted p-values, arms shuffled as they were assigned, clusters drawn again."""
