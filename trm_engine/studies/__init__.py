"""Studies: many runs that answer one question, from their plan to laws with intervals and a report."""
