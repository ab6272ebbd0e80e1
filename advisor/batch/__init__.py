"""Batch: a table of questions in, the same table with cited answers out. Reading, answering with a journal, writing, comparing."""
