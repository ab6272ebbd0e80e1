"""Reading and checking what the advisor knows."""
