"""`python -m sauce_appdist` is the `sauce-appdist` command."""

from sauce_appdist.cli import entrypoint

entrypoint()
