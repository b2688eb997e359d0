"""Documents as they came: kept once, with their hash, and what of them is asked for conditionally."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, select, update

from serving.store.database import insert_into
from serving.store.recall_tables import AlertDocumentRow

DOCUMENTS = AlertDocumentRow.__table__
_PACKING = 6


@dataclass(frozen=True)
class Document:
    """What a source, or a person, sent.

    Parameters
    ----------
    source : str
        Id of the source, ``api`` or ``form``.
    url : str
        Where it was, empty where it was handed in.
    fetched_at : datetime
        When the last byte was here.
    etag, last_modified : str
        As the server said, empty where it did not.
    """

    source: str
    data: bytes = field(repr=False)
    fetched_at: dt.datetime
    url: str = ""
    content_type: str = ""
    etag: str = ""
    last_modified: str = ""

    @property
    def sha256(self) -> str:
        """Hash of its bytes, hex."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True)
class KeptDocument:
    """A kept document without its bytes."""

    id: int
    source: str
    url: str
    sha256: str
    size: int
    content_type: str
    etag: str
    last_modified: str
    failure: str
    fetched_at: dt.datetime
    seen_at: dt.datetime


_COLUMNS = [DOCUMENTS.c[name] for name in KeptDocument.__dataclass_fields__]


def keep(connection: Connection, document: Document, failure: str = "") -> int:
    """Keep a document; equal bytes from the same place are kept once, and are only noted as seen again.

    What its server said to ask by next time counts once `finish` says that all of it was taken in.

    Returns
    -------
    int
        Its id.
    """
    values: dict[str, Any] = {
        "source": document.source,
        "url": document.url,
        "sha256": document.sha256,
        "size": len(document.data),
        "content_type": document.content_type,
        "packed": gzip.compress(document.data, _PACKING, mtime=0),
        "etag": "",
        "last_modified": "",
        "failure": failure,
        "fetched_at": document.fetched_at,
        "seen_at": document.fetched_at,
    }
    added = insert_into(connection.engine, AlertDocumentRow).values(**values)
    again = added.on_conflict_do_update(
        index_elements=["source", "url", "sha256"], set_={"seen_at": document.fetched_at, "failure": failure}
    )
    key: int = connection.execute(again.returning(DOCUMENTS.c.id)).scalar_one()
    return key


def finish(connection: Connection, document_id: int, document: Document) -> None:
    """Note that all of a document was taken in: from now on its server is asked whether there is a newer one."""
    done = update(AlertDocumentRow).where(DOCUMENTS.c.id == document_id)
    connection.execute(done.values(etag=document.etag, last_modified=document.last_modified))


def ask_anew(connection: Connection, document_id: int) -> None:
    """Have a document sent in full the next time, even if it is the same: what it told of is no longer known."""
    forgotten = update(AlertDocumentRow).where(DOCUMENTS.c.id == document_id)
    connection.execute(forgotten.values(etag="", last_modified=""))


def newest(connection: Connection, source: str, url: str) -> KeptDocument | None:
    """Return the document that an address gave last, None where it never gave one."""
    query = select(*_COLUMNS).where(DOCUMENTS.c.source == source, DOCUMENTS.c.url == url)
    row = connection.execute(query.order_by(DOCUMENTS.c.seen_at.desc(), DOCUMENTS.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else KeptDocument(*row)


def seen_again(connection: Connection, document_id: int, at: dt.datetime) -> None:
    """Note that a server said that a document has not changed."""
    connection.execute(update(AlertDocumentRow).where(DOCUMENTS.c.id == document_id).values(seen_at=at))


def read(connection: Connection, document_id: int) -> tuple[KeptDocument, bytes] | None:
    """Return a document with its bytes, None where there is none of that id."""
    row = connection.execute(select(*_COLUMNS, DOCUMENTS.c.packed).where(DOCUMENTS.c.id == document_id)).one_or_none()
    if row is None:
        return None
    *facts, packed = row
    return KeptDocument(*facts), gzip.decompress(packed)
