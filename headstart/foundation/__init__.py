"""What every other room builds on.

Files: `atomic` (written whole or not at all), `arrays` (large .npy), `npz`, `tables`, `paths` (where everything is).
Running: `entry` (help, signals, one-line errors), `exclusive` (one stage at a time), `resume` and `memo` (what is kept
over an interruption), `progress`, `threads`. Words: `wording` (numbers in sentences), `free_text`, `encodings`.
"""
