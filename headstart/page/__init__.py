"""The comparison in words: the page, the terminal's table, the verdicts.

`verdicts` and `advice` word what was found. `report` draws the page: `page` fills its templates, `charts` draws its
charts. `console` is `headstart compare`, with the table from `summary` and other commits' results from `revisions`.
"""
