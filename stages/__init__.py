"""The stages of the pipeline, one thin module each; the package ``headstart`` is what they share."""

import signal
import sys

# Python has not found the module to run yet, only this package: `python -m stages.NAME`. Until the command is ready
# to stop in good order, Ctrl-C ends it at once. As an exception it could come out anywhere in an import, where Python
# ignores some, and a command that goes on would end as a success.
if sys.argv[0] == "-m" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
