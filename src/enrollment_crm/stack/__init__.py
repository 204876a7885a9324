"""Starts, watches and stops the processes that the pipeline consists of on one machine."""
