"""What the stages and the command `headstart` share, in rooms: each folder is what a stage depends on."""

__version__ = "1.0.0"
