"""What a MULTICAL 66-CDE remembers: its log tables, their rows, and counters reckoned from growth."""
