"""The page of several environments on one machine, from their stores: `smart-meter-reader web ENV...`.

It reads no meter and writes to no store. A meter is called ENV/METER here.
"""
