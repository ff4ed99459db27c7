"""The commands `mqtt`."""
