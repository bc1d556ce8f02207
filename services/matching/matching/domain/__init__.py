"""What matching decides, without I/O: mentorships, places, members, programmes and runs."""
