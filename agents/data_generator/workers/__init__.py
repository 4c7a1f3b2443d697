"""What the data generator has done: parts are built, and put together."""
