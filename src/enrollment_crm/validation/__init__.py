"""The boundary to Great Expectations: a batch in, accepted and rejected rows with reasons out."""
