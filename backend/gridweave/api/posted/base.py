"""What posted bodies share: a person's consent, and lists that may be one object alone."""

from __future__ import annotations

from pydantic import model_validator

from gridweave.api.fields import Address, Body, Signature, Uint256
from gridweave.chain.contracts import Act

__all__ = ["ActIn", "Many"]


class ActIn(Body):
    """One person's consent: signature over the act's own type."""

    signer: Address
    nonce: Uint256
    deadline: Uint256
    signature: Signature

    def act(self) -> Act:
        return Act(self.signer, self.nonce, self.deadline, self.signature)


class Many(Body):
    """{"<plural>": [...]}, or one object alone."""

    @model_validator(mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        name = next(iter(cls.model_fields))
        return {name: [value]} if isinstance(value, dict) and name not in value else value
