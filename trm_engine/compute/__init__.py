"""Where and how arithmetic happens: threads, libraries, flat parameters and gradients."""
