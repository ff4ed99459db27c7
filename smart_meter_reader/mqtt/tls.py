"""The TLS context of a broker's settings."""

from __future__ import annotations

import ssl
from pathlib import Path

from smart_meter_reader.mqtt import failures
from smart_meter_reader.mqtt_settings import BrokerSettings


def tls_context(broker: BrokerSettings) -> ssl.SSLContext:
    """Verify the broker with the system's CAs, or with ``ca`` only; not at all with ``insecure``.

    Reads files. Raises SinkError naming the file that cannot be used.
    """
    try:
        context = ssl.create_default_context(cafile=_path(broker.ca))
    except OSError as error:  # SSLError is one too
        raise failures.unfit_certificate("ca", broker.ca, error) from error
    if broker.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if broker.client_cert:
        try:
            # A password that is never asked for: a key that needs one fails instead of prompting.
            context.load_cert_chain(broker.client_cert, _path(broker.client_key), password=lambda: "")
        except OSError as error:
            which = "client_key" if broker.client_key else "client_cert"
            raise failures.unfit_certificate(which, getattr(broker, which), error) from error
    return context


def _path(path: Path | None) -> str | None:
    return str(path.expanduser()) if path else None
