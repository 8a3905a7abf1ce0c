"""Larger photos: which model (`resolve`) and files (`files`), how it runs (`engine`, `tiles`), all in all (`upscaler`).

`resolve` and `files` load no torch, so that a mistyped name fails at once.
"""
