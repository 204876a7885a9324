"""The pages and endpoints that applicants reach."""
