"""Sans-IO codecs: functions of bytes, with no loop, clock, socket or logger in them."""
