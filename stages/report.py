"""Print the comparison, and write it as one page, plots/report.html, to read and to send to a colleague.

It computes nothing: everything comes from what the other stages left.
"""

from headstart.foundation.entry import run_stage
from headstart.page import console, page


def main() -> None:
    """Print the table and the verdicts, write the page and say where it is."""
    console.show_strategies()
    print(f"The page: {page.write()}")


if __name__ == "__main__":
    run_stage(main, __doc__)
