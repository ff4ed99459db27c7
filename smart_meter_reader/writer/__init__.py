"""The writer of a fleet: takes what edges published from JetStream into PostgreSQL, exactly once in effect.

At least once from the engine, and a unique key in the database; a message is acknowledged when it is
committed, and then its edge is told. Any number of writers run side by side.
"""

CONNECTS = "connects to servers and database"
"""What a writer says of itself until it has reached both, or knows why not."""
