"""The browser studio: sliders, regions drawn on the picture, answers about directions.

`session` holds the state of a page, `saving` keeps it, and `shell` writes the commands that do the
same. `library` opens models, `renderer` and `worker` make pictures, `localizing` finds a region's
directions. These modules do not know the page. `server` serves the pages of a `studio`; `page`,
`layout` and the panels build one with NiceGUI.
"""
