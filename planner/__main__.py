"""`python -m planner` is the console command `planner`."""

from planner.cli import main

main()
