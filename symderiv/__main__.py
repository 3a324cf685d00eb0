"""`python -m symderiv`."""

from symderiv.cli import main

if __name__ == "__main__":
    main()
