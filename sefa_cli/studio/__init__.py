"""The browser studio: sliders, regions drawn on the picture, answers about directions.

`session` holds the state of a page, and `shell` writes the commands that do the same. `library`
opens models, `renderer` and `worker` make pictures, `localizing` finds a region's directions. These
modules do not know the page. `server` serves it; `page`, `layout` and the panels build it with
NiceGUI.
"""
