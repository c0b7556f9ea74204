"""From any source to a lazy view: one file a kind of source."""
