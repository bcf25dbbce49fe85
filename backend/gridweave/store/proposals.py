"""Acts of release keys while their signatures are gathered. Every write is on disk when its call returns."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, select, update

from gridweave.store.database import Database
from gridweave.store.outbox_tables import approvals, items, proposals

__all__ = ["Proposal", "Proposals", "TooManyProposals"]


class TooManyProposals(Exception):
    """One signer has as many acts waiting for others as it may have."""


@dataclass(frozen=True)
class Proposal:
    """An act by its digest `id`, 0x hex. `message` is its fields in JSON, `maker` the maker's consent to an opening.

    `signatures` by signer, checksummed. `kept`: it is a release that stands on chain.
    """

    id: str
    act: str
    model: int
    counter: int | None
    message: Mapping[str, Any]
    deadline: int
    proposer: str
    created_at_ms: int
    maker: Mapping[str, Any] | None = None
    kept: bool = False
    signatures: Mapping[str, bytes] = field(default_factory=dict)


class Proposals:
    """All reads and writes of what is gathered. Raises StoreUnavailable."""

    def __init__(self, outbox: Database) -> None:
        self._db = outbox

    async def find(self, id_: str) -> Proposal | None:
        """The act with that digest and who approved it so far."""
        return await self._db.reading(lambda connection: _find(connection, id_))

    async def of_model(self, model: int | None, limit: int) -> list[Proposal]:
        """The newest of a model, or of all, newest first; those of releases that stand are left out."""
        query = select(proposals.c.id).where(proposals.c.kept.is_(False))
        if model is not None:
            query = query.where(proposals.c.model == model)
        query = query.order_by(proposals.c.created_at_ms.desc(), proposals.c.id).limit(limit)

        def read(connection: Connection) -> list[Proposal]:
            return [found for id_ in connection.execute(query).scalars() if (found := _find(connection, id_))]

        return await self._db.reading(read)

    async def gather(self, proposal: Proposal, most: int) -> Proposal:
        """Adds the signatures to those that the act has, and the act if it is new; the whole of it as it is then.

        Of a signer that signed before the newest signature is kept. Raises TooManyProposals if its proposer has `most`
        others.
        """

        def write(connection: Connection) -> Proposal:
            if _find(connection, proposal.id) is None:
                of_proposer = and_(proposals.c.proposer == proposal.proposer, proposals.c.kept.is_(False))
                others = select(func.count()).select_from(proposals).where(of_proposer)
                if not proposal.kept and int(connection.execute(others).scalar_one()) >= most:
                    raise TooManyProposals
                connection.execute(insert(proposals).values(_row(proposal)))
            elif proposal.kept:
                connection.execute(update(proposals).where(proposals.c.id == proposal.id).values(kept=True))
            _forget_signers(connection, proposal.id, proposal.signatures)
            for signer, signature in proposal.signatures.items():
                row = {"id": proposal.id, "signer": signer, "signature": "0x" + signature.hex()}
                connection.execute(insert(approvals).values(row | {"created_at_ms": proposal.created_at_ms}))
            found = _find(connection, proposal.id)
            assert found is not None, "it was just written"
            return found

        return await self._db.writing(write)

    async def drop(self, id_: str, signers: Collection[str]) -> None:
        """Takes away approvals that do not hold any more."""
        await self._db.writing(lambda connection: _forget_signers(connection, id_, signers))

    async def sweep(self, now: int) -> None:
        """Forgets acts whose deadline (chain time) has passed, and those that the outbox tells of for good."""

        def write(connection: Connection) -> None:
            final = select(items.c.id).where(items.c.final.is_(True))
            rows = connection.execute(select(proposals.c.id, proposals.c.deadline).where(proposals.c.kept.is_(False)))
            late = [row.id for row in rows if row.deadline < now]
            gone = [*late, *connection.execute(select(proposals.c.id).where(proposals.c.id.in_(final))).scalars()]
            stale = and_(proposals.c.id.in_(gone), proposals.c.kept.is_(False))
            ids = list(connection.execute(select(proposals.c.id).where(stale)).scalars())
            connection.execute(delete(approvals).where(approvals.c.id.in_(ids)))
            connection.execute(delete(proposals).where(proposals.c.id.in_(ids)))

        await self._db.writing(write)


def _find(connection: Connection, id_: str) -> Proposal | None:
    row = connection.execute(select(proposals).where(proposals.c.id == id_)).mappings().first()
    if row is None:
        return None
    signed = select(approvals.c.signer, approvals.c.signature).where(approvals.c.id == id_)
    signatures = {signer: bytes.fromhex(text[2:]) for signer, text in connection.execute(signed)}
    maker = json.loads(row["maker"]) if row["maker"] else None
    return Proposal(**(dict(row) | {"message": json.loads(row["message"]), "maker": maker, "signatures": signatures}))


def _row(proposal: Proposal) -> dict[str, Any]:
    row = {name: value for name, value in vars(proposal).items() if name != "signatures"}
    maker = None if proposal.maker is None else json.dumps(proposal.maker)
    return row | {"message": json.dumps(proposal.message), "maker": maker}


def _forget_signers(connection: Connection, id_: str, signers: Collection[str]) -> None:
    connection.execute(delete(approvals).where(approvals.c.id == id_, approvals.c.signer.in_(signers)))
