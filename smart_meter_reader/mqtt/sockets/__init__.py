"""The bytes to a broker and from it: how a socket is opened, wrapped, read and written."""
