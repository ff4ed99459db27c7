"""From a stream of bytes with anything in it to whole telegrams, plain or encrypted, and their checksums."""
