"""What it cost."""
