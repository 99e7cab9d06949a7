"""The console command `planner`, and `python -m planner`: tells an interruption in words from the first moment on."""

import sys


def main() -> None:
    """Run the command line; interrupted, say so and end with 130."""
    try:
        from planner.cli import main as run  # here, since its imports take seconds in which one may press Ctrl-C

        run()
    except KeyboardInterrupt:
        sys.stderr.write("Interrumpido: nada quedó a medias; lo terminado se reutiliza.\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
