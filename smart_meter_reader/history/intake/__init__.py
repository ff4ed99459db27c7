"""From messages to rows: what of them is kept, and whether the clock can be believed."""
