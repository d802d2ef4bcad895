"""Regions of a picture: from what a user writes or draws to a weight for every pixel.

region.py     `Region`, the type that all ways of saying a region lead to, and its checks
shapes.py     boxes and polygons
files.py      masks and label maps, from picture files or arrays
named.py      names such as `eyes`, and which of them suit a model
landmarks.py  the same names, found in every picture by landmarks of the face
"""
