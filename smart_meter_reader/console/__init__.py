"""What commands are made of, those of cli/ and those in the rooms of the meters."""
