"""A made-up clinic to try the product with: every person in it is fictitious.

`cases` says what is particular about each patient, `people` who they are, and `history` tells what happened to them, in
plain steps of `blood`, `examinations` and `treatment` to a `teller`, relative to the day the demo is made. Everything
follows from the seed, so that a day gives one clinic.
"""
