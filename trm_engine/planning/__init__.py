"""What a run will cost before it starts: operations, memory, time, and what would cost less."""
