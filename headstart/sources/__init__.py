"""Where images come from, and how they are divided.

`sources` opens a source: `folders` and `archives` list files, `catalog` downloads known sets. Labels come from
`labelling`: by folders and names (`layout`), a table (`tables`) or the user's expression (`pattern`). `subset` draws
the split: `duplicates` are left out, `split` counts, `grouping` keeps each group in one split.
"""
