"""The noise modes a picture can be made with: the file's noise, new noise, or none."""

NOISE_MODES = ("const", "random", "none")
