"""The secrets of one stack: made at its first start, kept in its state directory for its owner."""

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path


def _fernet_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


@dataclass(frozen=True)
class Keys:
    """What Airflow's processes share, and the password of its one user."""

    admin_password: str = field(default_factory=lambda: secrets.token_urlsafe(12), repr=False)
    #: Signs the tokens with which tasks and browsers come to the api-server.
    jwt_secret: str = field(default_factory=lambda: secrets.token_urlsafe(48), repr=False)
    session_secret: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    #: Encrypts connections and variables in Airflow's database: losing it loses them.
    fernet_key: str = field(default_factory=_fernet_key, repr=False)


def keys_of(state_directory: Path) -> Keys:
    """The keys of this state directory; new ones when it has none."""
    file = state_directory / "keys.json"
    if not file.exists():
        write_for_owner(file, json.dumps(asdict(Keys())))
    return Keys(**json.loads(file.read_text(encoding="utf-8")))


def write_for_owner(file: Path, text: str) -> None:
    """Put the text there as a whole, readable by its owner only from the first moment."""
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f"{file.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.write(text)
    unfinished.replace(file)
