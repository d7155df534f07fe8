"""Errors as HTTP answers."""

from __future__ import annotations

from http import HTTPStatus

from starlette.responses import JSONResponse

from voltstream.core import errors

_STATUS: tuple[tuple[type[errors.VoltstreamError], HTTPStatus], ...] = (
    (errors.UndefinedTable, HTTPStatus.NOT_FOUND),
    (errors.UndefinedDatabase, HTTPStatus.NOT_FOUND),
    (errors.UndefinedObject, HTTPStatus.NOT_FOUND),
    (errors.InvalidAuthorization, HTTPStatus.FORBIDDEN),
    (errors.InsufficientPrivilege, HTTPStatus.FORBIDDEN),
    (errors.LimitExceeded, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (errors.ObjectInUse, HTTPStatus.SERVICE_UNAVAILABLE),
    (errors.TooManyConnections, HTTPStatus.SERVICE_UNAVAILABLE),
    (errors.AdminShutdown, HTTPStatus.SERVICE_UNAVAILABLE),
    (errors.StorageFault, HTTPStatus.SERVICE_UNAVAILABLE),
    (errors.InternalError, HTTPStatus.INTERNAL_SERVER_ERROR),
)


def refusal(error: errors.VoltstreamError) -> JSONResponse:
    """Answer with the error's SQLSTATE, message and hint."""
    status = HTTPStatus.BAD_REQUEST
    for kind, answer in _STATUS:
        if isinstance(error, kind):
            status = answer
            break
    body = {"code": error.sqlstate, "message": error.message, "hint": error.hint}
    return JSONResponse(body, status_code=status)
