"""What clients of meters that send by themselves have in common: patience, losses, sessions, emulation."""
