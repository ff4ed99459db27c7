"""What a history is asked: counters at any instant, bars, peaks, weighted temperatures, gaps."""
