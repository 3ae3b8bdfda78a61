"""`python -m runtime` in an export folder, or `python FOLDER/runtime` from any working directory."""

import importlib
import pathlib
import sys

if __package__:
    from .command_line import run
else:  # `python FOLDER/runtime` puts the folder on the path instead of its parent, from which it is a package
    package = pathlib.Path(__file__).resolve().parent
    sys.path[0] = str(package.parent)
    run = importlib.import_module(f"{package.name}.command_line").run

if __name__ == "__main__":
    run()
