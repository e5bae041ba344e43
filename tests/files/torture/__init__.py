"""Files that people, programs and spreadsheets really make, and worse: each with what must become of it.

A case says in its own words what is expected, one letter a row: `W` withheld, `R` to review, `K` kept. Or it
names a part of the one line that refuses the file. In every file the same people are suppressed:
`pat@example.com`, `info@bücher.example`, and `quit@gmail.com`, who has aliases. `tests/files/test_torture.py`
runs the cases and holds every kept file against an oracle that only looks for these names in it.
"""
