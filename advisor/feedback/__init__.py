"""From use to test: what visitors say of answers, kept with the whole answer, and eval cases made of it without personal data."""
