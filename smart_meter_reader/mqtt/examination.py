"""Can the broker be reached, does it know the login, and is what travels to it protected?"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

from smart_meter_reader.console.checks import Check, ok, unavailable, warning
from smart_meter_reader.exceptions import SinkError
from smart_meter_reader.mqtt.open_link import open_link
from smart_meter_reader.mqtt.settings import BrokerSettings
from smart_meter_reader.network.loopback import is_this_computer


async def check_broker(subject: str, broker: BrokerSettings) -> AsyncIterator[Check]:
    """Connect, log in, say goodbye; publishes nothing."""
    try:
        # An id of its own: the service's would throw the service off the broker.
        name = f"{broker.client_id or 'smart-meter-reader'}-doctor-{secrets.token_hex(4)}"
        link = await open_link(broker, name)
    except SinkError as error:
        yield unavailable(subject, error.detail)
    else:
        link.close()
        who = f"as {broker.username}" if broker.username else "without a login"
        yield ok(subject, f"{broker.address} accepts the connection {who} (MQTT {link.version})")
    if not broker.sent_openly:  # of which the settings warn
        yield _protection(subject, broker)


def _protection(subject: str, broker: BrokerSettings) -> Check:
    if broker.tls and broker.insecure:
        return warning(subject, "TLS does not verify who the broker is: set ca and remove insecure")
    if broker.tls:
        return ok(subject, f"TLS verifies the broker by {broker.ca or 'the CAs of this system'}")
    if is_this_computer(broker.host):
        return ok(subject, "no TLS, and none is needed: the broker is on this computer")
    return ok(subject, "no TLS; nothing secret travels")
