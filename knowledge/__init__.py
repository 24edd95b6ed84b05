"""Company documents in, passages with their places out. Knows nothing of brands, models or pages."""
