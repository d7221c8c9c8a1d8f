"""What several front ends use: results in words, contrast of colours."""
