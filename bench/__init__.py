"""What it costs: Voltstream beside what one would otherwise use, over the same rows."""
