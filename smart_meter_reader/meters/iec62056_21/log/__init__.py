"""What a MULTICAL 66-CDE remembers: asked for, read back behind live readings, and emulated."""
