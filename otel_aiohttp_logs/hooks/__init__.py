"""What only a change to something process-wide can reach: small, undone, optional."""
