"""`python -m srzoo`, which torchrun needs."""

from srzoo.cli.main import main

main()
