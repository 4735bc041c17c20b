"""What `python facefusion.py ...` does."""


def main() -> None:
    """Run one command line; ends the process."""
    from . import conda, core

    conda.setup()
    core.cli()
