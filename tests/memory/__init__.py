"""What is asked of memory."""
