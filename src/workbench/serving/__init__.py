"""Lists under business rules: filters, promotions, exploration, campaigns, batches."""
