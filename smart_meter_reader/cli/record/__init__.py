"""`record`: everything that passes the line of a meter, with its times, as a text file."""
