"""smart_meter_reader: reads heat and electricity meters and hands every reading on.

The data path::

    transport ──bytes──▶ codec ──values──▶ client ──dict──▶ asyncio.Queue ──▶ guard ▶ router ──dict──▶ sink
     serial/TCP          sans-IO           one task         one, central      filters  one bounded     one
                                           a meter                                     queue a sink    task

Data flows one way. Nothing flows back but "stop" and, for a polled meter, "read now".
"""

__version__ = "0.1.0"
# Where people find help: the homepage of pyproject.toml, once there is one.
__homepage__ = ""
