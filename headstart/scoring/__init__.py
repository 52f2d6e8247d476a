"""Predictions of images that no model has seen, and everything that is measured of them.

`evaluation` calibrates and scores every strategy; `results` reads what it wrote and chooses the winner, whose folder
`winner` writes. `growth` is the learning curve, `cost` what each strategy took, `review` the images to look at.
"""
