"""What all frames of general-glo-ciphering share, whatever is inside: keys, tags, and frame counters."""
