"""The one error a function can end with."""


class FunctionError(Exception):
    """The function says no: HTTP 200 with ``metadata.result`` 0 and this text as the reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
