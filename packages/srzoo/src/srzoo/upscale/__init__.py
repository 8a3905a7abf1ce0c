"""Larger photos: which model (`resolve`) and files (`files`), how it runs (`engine`), all in all (`upscaler`).

What is too large to run at once: into which tiles (`layout`, `tiles`), how they join (`blend`), what that changed
(`difference`). `resolve` and `files` load no torch, so that a mistyped name fails at once.
"""
