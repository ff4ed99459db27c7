"""The client `dlms`, against emulated meters on real streams."""
