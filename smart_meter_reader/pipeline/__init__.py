"""What runs between clients and sinks: supervisor, router, the rooms that hold errors, reports."""
