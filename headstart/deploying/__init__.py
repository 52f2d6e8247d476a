"""The winner in use: classifying files, exporting."""
