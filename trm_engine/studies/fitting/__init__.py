"""Laws fitted to what trials measured: points, projection, intervals, comparison."""
