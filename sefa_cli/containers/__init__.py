"""What files hold: torch archives, pickles, safetensors → an inert tree of lazily read tensors."""
