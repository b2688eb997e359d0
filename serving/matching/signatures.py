"""Keeps the signatures of assessed listings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Select, exists, select

from models.domain.parts import in_parts
from models.matching.signature import Signature
from serving.store.assessments import Answered
from serving.store.database import insert_into, writing
from serving.store.match_tables import AlertSignatureRow, SignatureRow
from serving.store.tables import AssessmentRow

_READ_AT_ONCE = 20_000


class SignatureStore:
    """Signatures by content. Its methods block: call them from a thread.

    Parameters
    ----------
    engine : Engine
        Of a migrated database.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        # Made once: that takes as long as running it, and every answer that is kept runs it.
        self._insert = insert_into(engine, SignatureRow).on_conflict_do_nothing(
            index_elements=["content_hash", "version"]
        )

    def keep_within(self, connection: Connection, answers: Sequence[Answered]) -> None:
        """Keep the signatures that answers carry, in the transaction that keeps the answers."""
        carried = {
            (answer.assessment.content_hash, version): packed
            for answer in answers
            if answer.assessment.signature is not None
            for version, packed in (answer.assessment.signature,)
        }
        self._keep(connection, carried)

    def keep(self, signatures: dict[str, bytes], version: str) -> None:
        """Keep signatures by content hash."""
        with writing(self.engine) as connection:
            self._keep(connection, {(content, version): packed for content, packed in signatures.items()})

    def since(self, number: int, version: str) -> Iterator[list[tuple[int, str, bytes]]]:
        """Yield (number, content hash, signature) of the rows after a number, some at a time, in order."""
        columns = (SignatureRow.number, SignatureRow.content_hash, SignatureRow.signature)
        with self.engine.connect() as connection:
            while True:
                query = (
                    select(*columns)
                    .where(SignatureRow.version == version, SignatureRow.number > number)
                    .order_by(SignatureRow.number)
                    .limit(_READ_AT_ONCE)
                )
                rows = [(row.number, row.content_hash, row.signature) for row in connection.execute(query)]
                if not rows:
                    return
                yield rows
                number = rows[-1][0]

    def of_contents(self, hashes: Sequence[str], version: str) -> dict[str, bytes]:
        """Return the signatures of some contents."""
        found: dict[str, bytes] = {}
        with self.engine.connect() as connection:
            for some in in_parts(hashes, 500):
                query = select(SignatureRow.content_hash, SignatureRow.signature).where(
                    SignatureRow.version == version, SignatureRow.content_hash.in_(some)
                )
                found |= {row.content_hash: row.signature for row in connection.execute(query)}
        return found

    def unsigned(self, version: str, limit: int, since: datetime | None = None) -> list[dict[str, Any]]:
        """Return listings as JSON that were assessed and have no signature of a version, one of each content.

        Parameters
        ----------
        since : datetime, optional
            Leave out what was assessed before.
        """
        signed = exists().where(
            SignatureRow.content_hash == AssessmentRow.content_hash, SignatureRow.version == version
        )
        query = select(AssessmentRow.content_hash, AssessmentRow.listing).where(~signed)
        if since is not None:
            query = query.where(AssessmentRow.created_at >= since)
        with self.engine.connect() as connection:
            found = {row.content_hash: row.listing for row in connection.execute(query.limit(limit))}
        return list(found.values())

    def listings_of(self, hashes: Sequence[str]) -> dict[str, list[str]]:
        """Return the ids of the listings that have some contents now: whose newest assessment is of it."""
        found: dict[str, list[str]] = {}
        for some in in_parts(hashes, 500):
            query = select(AssessmentRow.listing_id).where(AssessmentRow.content_hash.in_(some)).distinct()
            with self.engine.connect() as connection:
                ids = [row.listing_id for row in connection.execute(query)]
                for listing_id in ids:
                    content = connection.execute(_newest_content(listing_id)).scalar_one()
                    if content in some:
                        found.setdefault(content, []).append(listing_id)
        return {content: sorted(ids) for content, ids in found.items()}

    def contents_of(self, listing_ids: Sequence[str]) -> dict[str, str]:
        """Return the content that each of some listings has now; one that was never assessed has none."""
        with self.engine.connect() as connection:
            found = {key: connection.execute(_newest_content(key)).scalar() for key in listing_ids}
        return {key: content for key, content in found.items() if content is not None}

    def of_alerts(self, ids: Sequence[str], version: str) -> dict[str, tuple[str, Signature]]:
        """Return (digest of the alert, its signature) by the alert's id, where one is kept."""
        query = select(AlertSignatureRow.alert_id, AlertSignatureRow.digest, AlertSignatureRow.signature).where(
            AlertSignatureRow.version == version, AlertSignatureRow.alert_id.in_(ids)
        )
        with self.engine.connect() as connection:
            return {row.alert_id: (row.digest, Signature.from_json(row.signature)) for row in connection.execute(query)}

    def keep_of_alerts(self, signatures: dict[str, tuple[str, Signature]], version: str) -> None:
        """Keep (digest of the alert, signature) by the alert's id; what was kept before is replaced."""
        rows = [
            {"alert_id": key, "version": version, "digest": digest, "signature": signature.to_json()}
            for key, (digest, signature) in sorted(signatures.items())
        ]
        statement = insert_into(self.engine, AlertSignatureRow)
        changed = {"digest": statement.excluded.digest, "signature": statement.excluded.signature}
        with writing(self.engine) as connection:
            connection.execute(
                statement.on_conflict_do_update(index_elements=["alert_id", "version"], set_=changed), rows
            )

    def _keep(self, connection: Connection, signatures: dict[tuple[str, str], bytes]) -> None:
        if not signatures:
            return
        # In the order of their contents, as the store of answers does: see `AssessmentStore.save`.
        rows = [
            {"content_hash": content, "version": version, "signature": signatures[content, version]}
            for content, version in sorted(signatures)
        ]
        connection.execute(self._insert, rows)


def _newest_content(listing_id: str) -> Select[str]:
    return (
        select(AssessmentRow.content_hash)
        .where(AssessmentRow.listing_id == listing_id)
        .order_by(AssessmentRow.created_at.desc(), AssessmentRow.id.desc())
        .limit(1)
    )
