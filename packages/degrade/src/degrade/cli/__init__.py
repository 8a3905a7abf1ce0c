"""The command line: `main.py` finds the command and prints failures, every other file is one command."""
