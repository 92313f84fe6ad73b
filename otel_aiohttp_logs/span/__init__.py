"""The API's span that becomes one flat record; ids, sampling, W3C propagation."""
