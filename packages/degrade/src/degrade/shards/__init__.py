"""Shards: LR-HR pairs in HDF5 files, written whole, checked on every read. `FORMATS.md` tells the format."""
