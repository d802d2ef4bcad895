"""Read and write other tools' files of directions and latent codes.

Files are recognized by their content, and nothing in them is executed: pickles are read as inert
data, and arrays of Python objects are refused. `docs/formats.md` says what each format can hold.
"""
