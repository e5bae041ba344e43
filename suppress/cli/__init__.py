"""The command line: `app` lists the commands and turns errors into exits, `console` is the only printer.

Each command is one module: it parses, calls one verb, and renders. Heavy libraries are imported inside.
"""
