"""Fetches raw rows and configuration; judges nothing."""
