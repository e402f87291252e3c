"""`python -m allmende`."""

from allmende.cli import main

if __name__ == "__main__":
    main()
