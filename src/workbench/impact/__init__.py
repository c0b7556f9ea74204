"""Did it help? Attribution and experiments over events."""
