"""Several tasks learned by one model."""
