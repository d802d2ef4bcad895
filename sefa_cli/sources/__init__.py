"""From a model's name, path or address to a file on this machine, fetched and checked if needed."""
