"""The browser studio: sliders, regions drawn on the picture, answers about directions.

`session` holds what a page shows and `shell` the commands that do the same; `library` opens models,
`renderer` and `worker` make pictures, `localizing` looks for a region's directions. None of them
knows the page, which `server`, `page` and what it is made of lay out with NiceGUI.
"""
