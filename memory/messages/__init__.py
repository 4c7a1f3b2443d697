"""What models say to each other, as each of them finds it: inboxes, and sessions in rounds."""
