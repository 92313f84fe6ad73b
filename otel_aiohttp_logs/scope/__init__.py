"""What belongs to a request, in whatever task or thread its work is done."""
