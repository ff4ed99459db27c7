"""The one place that talks to the broker: paho-mqtt on the event loop.

``message``     what is published, and who makes it of the messages of the queue (``Presenter``)
``connection``  keeps a link up for ever: backoff, announcing, what waits while the broker is away
``link``        one connection to the broker, from CONNECT to its end; ``sockets`` carry its bytes
``own_topics``  puts right what others write where we alone speak
``failures``    every way a connection can fail, as one sentence that names the setting to look at
"""
