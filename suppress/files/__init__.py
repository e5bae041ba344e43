"""Contact files in and out: read in constant memory, written back byte for byte, never half.

`encoding` says what the bytes are, `records` cuts them into rows, `dialect` splits rows into cells,
`columns` finds the addresses, `contacts` puts the four together; `output` writes files that are there whole
or not at all. Nothing in this room knows what a suppression is.
"""
