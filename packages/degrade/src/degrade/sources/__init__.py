"""Where HR pictures come from: files and folders, sample photographs, procedural scenes.

A `Source` (`source.py`) is a picture by reference, known by SHA-256; `load.py` turns one into pixels.
"""
