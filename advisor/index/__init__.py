"""Encoding, storing and searching the corpus."""
