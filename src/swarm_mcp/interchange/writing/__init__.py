"""The board as files of some format: one module for each, found by its name, with `write` as `exporting.Writer` has it.

A module may have `expected(db, wanted)` beside it: how much `told` will hear of, for a bar of progress.
"""
