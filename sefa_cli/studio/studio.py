"""All pages of one server, and the routes they need."""

import threading

from fastapi import FastAPI, HTTPException, Request, Response
from nicegui import Client, ui

from sefa_cli.allocator import give_back
from sefa_cli.studio.dropping import drop
from sefa_cli.studio.layout import Layout
from sefa_cli.studio.library import Library
from sefa_cli.studio.opening import begin
from sefa_cli.studio.page import Page
from sefa_cli.studio.saving import Saved, drop_old
from sefa_cli.studio.uploads import UploadError
from sefa_cli.studio.wording import said
from sefa_cli.studio.worker import WHOLE, Worker

_NOTICED = 1.0  # seconds until the tasks of a page have noticed that it is gone


class Studio:
    """All pages of one server, and what they share.

    Args:
        library: The models.
        begin: The bundle or model that a new page opens.
    """

    def __init__(self, library: Library, begin: str | None = None) -> None:
        self.library, self.begin, self.worker = library, begin, Worker()
        self.pages: dict[str, Page] = {}
        drop_old()

    def add_routes(self, app: FastAPI) -> None:
        """Serve the page itself, and the pictures of every open page."""

        @app.get("/picture/{key}/{number}")
        async def picture(key: str, number: int) -> Response:
            page = self.pages.get(key)
            data = page.pictures.get(number) if page else None
            if data is None:
                raise HTTPException(404)
            kind = "image/png" if data.startswith(b"\x89PNG") else "image/jpeg"
            return Response(data, media_type=kind, headers={"Cache-Control": "no-store"})

        @app.post("/upload/{key}")
        async def upload(key: str, name: str, request: Request) -> Response:
            page = self.pages.get(key)
            if page is None:
                raise HTTPException(404)
            try:
                data = await page.uploads.read(request.stream())
                await drop(page, name, data)
            except Exception as error:  # whatever a file provokes
                status = error.status if isinstance(error, UploadError) else 200
                return Response(said(error), status, media_type="text/plain")
            return Response(media_type="text/plain")  # nothing was wrong

        @ui.page("/")
        async def index(client: Client) -> None:
            page = Page(self, client, self._saved(client.request.query_params.get("page")))
            self.pages[page.key] = page
            client.on_delete(page.close)
            page.layout = Layout(page)
            await client.connected()
            await begin(page, client.request.query_params)

    def forget(self, key: str) -> None:
        """Drop a page that is gone. Its features took some 150 MB, which the system gets back."""
        self.pages.pop(key, None)
        self.worker.forget(key)
        # What its tasks hold until they have noticed would stay in the process after it is freed.
        later = threading.Timer(_NOTICED, self.worker.submit, ("memory", give_back, WHOLE))
        later.daemon = True
        later.start()

    def _saved(self, name: str | None) -> Saved:
        """Return the saved page that an address names, or a new one while another window has it."""
        saved = Saved(name)
        others = (page for page in self.pages.values() if page.saved.name == saved.name)
        if not any(page.client.has_socket_connection for page in others):
            return saved
        copy = Saved()
        if known := saved.read():
            copy.write(*known)
        return copy
