"""Meters that speak IEC 62056-21 at an optical head: MULTICAL 66C, III, 401, the 382, others."""
