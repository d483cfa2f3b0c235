"""The estimators, one file each; a file dropped here is on the list."""
