"""What a run costs while it runs: samples, the memory guard, slowdowns."""
