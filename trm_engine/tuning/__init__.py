"""What is fastest here, measured: tuner, its cache, rates, benchmarks."""
