"""What a network looks at, and what its layers respond to."""
