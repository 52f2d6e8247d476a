"""What the stages share, in rooms: each folder is what a stage depends on."""
