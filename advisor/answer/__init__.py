"""From a question and its evidence to a checked answer."""
