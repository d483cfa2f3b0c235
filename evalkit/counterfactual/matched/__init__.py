"""Comparison people made like the treated: pairs, their variance, weights that balance means, and overlap."""
