"""Regions of a picture: from text or a drawing to a weight for every pixel.

region.py     `Region`, the one type for all kinds of regions, and its checks
shapes.py     boxes and polygons
files.py      masks and label maps, from picture files or arrays
named.py      names such as `eyes`, and the models they suit
landmarks.py  the same names, found in every picture by face landmarks
"""
