"""What the trials of a study showed: results, laws, comparisons, frontiers, batches, conclusions."""
