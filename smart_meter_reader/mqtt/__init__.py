"""The one place that talks to the broker: paho-mqtt on the event loop.

``message``     what is published
``presenter``   who says what is published
``connection``  keeps a link up for ever: backoff, announcing, what waits while the broker is away
``link``        one connection to the broker, from CONNECT to its end
``failures``    every way a connection can fail, as one sentence that names the setting to look at
"""
