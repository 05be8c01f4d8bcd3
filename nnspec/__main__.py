"""``python -m nnspec``."""

from nnspec.cli import main

main(prog_name="nnspec")
