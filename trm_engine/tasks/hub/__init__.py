"""Data sets on the Hugging Face Hub: which ones are pinned, and how their files get here."""
