"""Questionnaires: answers in, scores and bands out, by the keys on the shelf."""
