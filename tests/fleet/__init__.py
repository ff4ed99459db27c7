"""A fleet of edges, servers and writers, each a process of its own."""
