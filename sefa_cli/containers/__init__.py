"""Read what files hold: torch archives, pickles and safetensors as trees of lazy tensors."""
