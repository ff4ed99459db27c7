"""Fleets of meters over NATS: subjects, envelopes and what comes back, pure; and the connection itself.

Who says what: an edge (a machine with meters) publishes below ``smr.v1.<tenant>.<site>``; writers take that
from streams into the database, and tell the edge on ``smr.v1.<tenant>.written.<site>`` what the database has.
"""
