"""Generator families: one folder each, with everything that is known about the family."""
