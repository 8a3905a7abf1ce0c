"""The `srzoo` command: parse, call, print."""
