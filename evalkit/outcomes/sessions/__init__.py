"""Engagement and dose: what was offered, what was attended, and who stopped."""
