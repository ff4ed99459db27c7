"""Leases: of several machines that reach a meter exactly one reads it; which, the servers of the fleet say.

A lease is a key of a bucket (NATS, JetStream key-value store) that lives for ``ttl``; its holder renews it by
compare-and-set with the last revision. The revision goes with every reading, as the number that fences off
whoever held it before.
"""

from smart_meter_reader.drivers import LeasesDriver

DRIVER = LeasesDriver(
    settings=f"{__name__}.settings:LeaseSettings",
    leases=f"{__name__}.keeping:Leases",
    examine=f"{__name__}.examination:examine",
)
