"""Pictures and tables made from a run folder; everything here can be made again from the files alone."""
