"""Kamstrup meters that speak KMP: MULTICAL 302 to 803, 21, flowIQ."""
