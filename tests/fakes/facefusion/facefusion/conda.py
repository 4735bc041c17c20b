"""Would start the program anew with the libraries of a Conda environment. There is none."""


def setup() -> None:
    """Do nothing."""
