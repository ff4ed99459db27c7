"""SML (Smart Message Language), which German electricity meters send by themselves, as functions of bytes.

``frame``         bytes -> frames of the transport layer, version 1; both checksums
``presentation``  elements: octets, numbers of any width, lists
``messages``      a frame's messages -> value lists
``telegram``      a value list: server id and entries, as sent
``identity``      server id -> maker and number
``measure``       entries -> quantities; what single models do otherwise
``describe``      telegrams of a capture as dicts for JSON
``encode``        telegrams, for the emulated meter, redaction and tests

Source: BSI TR-03109-1, annex IV b (SML 1.04), and what meters send, where they differ from it.
"""
