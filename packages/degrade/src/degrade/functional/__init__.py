"""Pure maths on images: no parameter ranges, no files, no randomness but an integer key."""
