"""The command `headstart`, one thin module a command. Each imports what it works with once it is called.

So `headstart --help`, a completion of the shell and a mistyped option don't wait for TensorFlow.
"""

import signal


def main() -> None:
    """Run the command line."""
    # Until the command is ready to stop in good order, Ctrl-C ends it at once. As an exception it could come out
    # anywhere in an import, where Python ignores some, and a command that goes on would end as a success.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

    from headstart.commands.app import app

    app(prog_name="headstart")
