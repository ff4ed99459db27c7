"""The sinks for Home Assistant: by MQTT device discovery, or by its REST API where there is no broker."""
