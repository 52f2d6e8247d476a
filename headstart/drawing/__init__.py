"""Pictures that several rooms draw: galleries and sheets (`figures`), a heat map over its image (`overlay`).

`explanation` is the record of what the stage explain drew, which the page reads.
"""
