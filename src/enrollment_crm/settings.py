"""Everything that can be set from outside: one frozen class, read from variables that begin with ``CRM_``.

``.env.example`` lists every variable; a test keeps the two the same.
"""

from pathlib import Path
from typing import Annotated, Self

from pydantic import AwareDatetime, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

#: The checkout that this package was installed from; holds config/, templates/ and expectations/.
CHECKOUT = Path(__file__).resolve().parents[2]


class Settings(BaseSettings):
    """The settings of one running pipeline. Durations carry their unit in the name; instants carry a zone."""

    model_config = SettingsConfigDict(env_prefix="CRM_", frozen=True, extra="ignore", env_ignore_empty=True)

    environment: str = Field("development", pattern="^(development|production)$")
    #: Folder that holds config/, templates/, expectations/ and dags/.
    home_directory: Path = CHECKOUT
    #: Where the processes of `enrollment-crm up` keep their data, logs and lock.
    state_directory: Path = CHECKOUT / "build" / "stack"
    #: SQLAlchemy URL of the CRM database; empty: the embedded PostgreSQL in the state directory.
    database_url: SecretStr = SecretStr("")
    #: Key of the HMACs in Message-IDs, envelope senders and unsubscribe links.
    secret_key: SecretStr = SecretStr("development-only")
    #: The instant that the pipeline takes for now; empty: the clock. For demonstrations and rehearsals.
    as_of: AwareDatetime | None = None
    #: The program that a signup means when it names none: a file name in config/programs/.
    default_program: str = "ms-advanced-intelligent-manufacturing"

    smtp_host: str = "127.0.0.1"
    smtp_port: int = Field(1025, ge=1, le=65535)
    smtp_username: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_starttls: bool = False
    smtp_connect_timeout_in_seconds: float = Field(10, gt=0)
    smtp_command_timeout_in_seconds: float = Field(30, gt=0)
    #: End of data may take ten minutes (RFC 5321 4.5.3.2.6).
    smtp_data_timeout_in_seconds: float = Field(600, gt=0)
    #: How long a claimed message belongs to its worker; longer than any SMTP dialogue.
    lease_in_seconds: float = Field(900, gt=0)
    #: Maildir or folder of the relay's accept log, asked about messages with an unknown outcome; empty: none.
    accept_log_directory: Path | None = None

    #: By recipient domain, how many messages a minute it gets at most, from all workers together; others have no limit.
    messages_a_minute: dict[str, Annotated[int, Field(gt=0)]] = {}
    #: A kind of message is stopped when more than this share of its last messages was refused for their address.
    bounce_stop_share: float = Field(0.1, gt=0, le=1)
    #: How many messages that looks back at.
    bounce_stop_window: int = Field(500, gt=0)
    #: For chaos tests: the place in sending at which a worker ends, such as ``after_dot:kill:3``; empty: none.
    failpoint: str = Field("", pattern=r"^([a-z0-9_]+:(kill|raise)(:[1-9]\d*)?)?$")

    sender_name: str = "Graduate Admissions"
    sender_address: str = "admissions@crm.example"
    reply_to_address: str = "admissions@crm.example"
    #: Domain of Message-IDs and envelope senders.
    mail_domain: str = "crm.example"
    postal_address: str = "Graduate Admissions, 360 Huntington Avenue, Boston, MA 02115, USA"

    #: Where alerts go: a run that is late, a task that failed; empty: to the log only.
    operations_address: str = ""

    public_host: str = "127.0.0.1"
    #: Port of the public web app; 0: any free one.
    public_port: int = Field(0, ge=0, le=65535)
    #: Address under which applicants reach the public app; links in emails begin with it.
    public_url: str = "https://crm.example"
    #: Port of Airflow's web interface; 0: any free one.
    airflow_port: int = Field(0, ge=0, le=65535)

    #: Address of the Slate query (without its key); empty: no Slate feed.
    slate_query_url: str = ""
    slate_query_key: SecretStr = SecretStr("")
    feed_timeout_in_seconds: float = Field(30, gt=0)
    #: Folder into which other systems drop files: one sub-folder a source.
    drop_directory: Path | None = None

    @property
    def longest_dialogue_in_seconds(self) -> float:
        """What a message may take from its worker's last look at the lease to the relay's last word."""
        return self.smtp_command_timeout_in_seconds + self.smtp_data_timeout_in_seconds

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        dialogue = self.smtp_connect_timeout_in_seconds + self.longest_dialogue_in_seconds
        if self.lease_in_seconds <= dialogue:
            raise ValueError(
                f"CRM_LEASE_IN_SECONDS is {self.lease_in_seconds:g}, but one SMTP dialogue may take {dialogue:g} s: "
                "make the lease longer than the three SMTP timeouts together."
            )
        if self.environment == "production":
            self._check_production()
        return self

    def _check_production(self) -> None:
        if self.secret_key.get_secret_value() == "development-only":
            raise ValueError("Set CRM_SECRET_KEY to a random value: production does not start without one.")
        if not self.public_url.startswith("https://"):
            raise ValueError("CRM_PUBLIC_URL must begin with https:// in production (RFC 8058).")
        if self.failpoint:
            raise ValueError("CRM_FAILPOINT ends workers on purpose: it is for tests, unset it in production.")
        if self.as_of is not None:
            raise ValueError("CRM_AS_OF stops the clock: it is for demonstrations, unset it in production.")
