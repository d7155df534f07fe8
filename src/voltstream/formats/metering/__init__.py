"""What head-ends of smart meters write: one codec a file, bytes to readings and events."""
