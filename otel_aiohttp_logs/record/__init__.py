"""Ids and fields onto each log record, as safe values."""
