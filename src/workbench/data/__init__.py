"""From any source to a checked, versioned dataset."""
