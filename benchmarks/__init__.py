"""Side by side with the rivals, in turns and in the same run; `./scripts/bench` runs all of it."""
