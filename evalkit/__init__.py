"""evalkit: from a folder per social impact bond to a finished evaluation report."""
