"""The client side: each call that the application makes, and what it sends on."""
