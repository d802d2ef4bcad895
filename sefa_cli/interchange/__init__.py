"""Other tools' files of directions and latent codes, and the way to and from ours.

Files are recognized by their content, and nothing in them is executed: pickles are read as inert
data, arrays of Python objects are refused. `docs/formats.md` says what each format can hold.
"""
