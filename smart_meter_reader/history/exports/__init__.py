"""What the meters counted, as files for other programs and for people: CSV, XLSX, JSON.

``lines`` asks the history, piece by piece, so that ten years of quarters of an hour need no memory; the
other modules each write one kind of file.
"""
