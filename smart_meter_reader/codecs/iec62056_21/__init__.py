"""IEC 62056-21 (formerly IEC 1107, EN 61107) and Kamstrup's short requests, as functions of bytes.

``message``    identification, data message, line of a short answer, request
``frame``      bytes -> those; parity and block check character checked
``data_set``   text of a data message <-> ``code(value*unit)``
``codes``      EDIS and OBIS codes -> quantities
``multical``   lines of MULTICAL 66-CDE, III, 401 <-> fields
``scaling``    units and decimals from B and CCC codes
``agreement``  when two answers without a checksum confirm each other
``capture``    a recorded piece of a line -> every answer in it
``describe``   those as dicts for JSON
``request``    what a reader sends
"""
