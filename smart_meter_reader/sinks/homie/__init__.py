"""The sink `homie`: each meter is a device of the Homie convention 4.0.0."""
