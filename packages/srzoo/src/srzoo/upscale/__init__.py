"""Larger photos: which model (`resolve`) and files (`files`), how it runs (`engine`), all in all (`upscaler`).

What is too large to run at once: into which tiles (`layout`, `tiles`), how they join (`blend`), what that changed
(`difference`). In the place of one network: two, fused by luminance (`fuse`), or none (`bicubic`); what they have in
common is `enlarger`. `resolve`, `files`, `fuse` and `bicubic` load no torch, so that a mistyped name fails at once.
"""
