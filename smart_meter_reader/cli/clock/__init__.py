"""`clock`: the meter's clock beside this computer's, and how it is set."""
