"""The sink `nats`: readings of an edge to JetStream, kept until a writer says that the database has them."""

from smart_meter_reader.drivers import SinkDriver

DRIVER = SinkDriver(
    sink=f"{__name__}.sink:NatsSink",
    settings=f"{__name__}.settings:NatsSinkSettings",
    examine=f"{__name__}.examination:examine",
    called=(),
    past="`nats`",
)
