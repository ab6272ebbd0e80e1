"""Care of the corpus: what a check of it finds, where its figures come from, and how to look through it."""
