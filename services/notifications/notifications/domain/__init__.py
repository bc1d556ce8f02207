"""What people are told, without I/O and without a clock."""
