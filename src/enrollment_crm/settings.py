"""Everything that can be set from outside: one frozen class, read from variables that begin with ``CRM_``.

``.env.example`` lists every variable; a test keeps the two the same.
"""

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Self

from pydantic import (
    AwareDatetime,
    Field,
    FilePath,
    SecretStr,
    ValidationError,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

#: The checkout that this package was installed from; holds config/, templates/ and expectations/.
CHECKOUT = Path(__file__).resolve().parents[2]


class Settings(BaseSettings):
    """The settings of one running pipeline. Durations carry their unit in the name; instants carry a zone."""

    model_config = SettingsConfigDict(env_prefix="CRM_", frozen=True, extra="ignore", env_ignore_empty=True)

    environment: str = Field("development", pattern="^(development|staging|production)$")
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

    #: What hands messages over: the relay, a provider's HTTP API, or files that reach nobody.
    transport: str = Field("smtp", pattern="^(smtp|provider|file)$")
    #: Domains that may be written to, divided by commas; *: every one. Empty: every one in production, else none.
    allowed_recipient_domains: str = ""

    smtp_host: str = "127.0.0.1"
    smtp_port: int = Field(1025, ge=1, le=65535)
    smtp_username: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_starttls: bool = False
    #: TLS from the first byte, as on port 465.
    smtp_implicit_tls: bool = False
    #: Authorities (PEM) that are trusted instead of the system's; for a relay with a certificate of your own.
    smtp_ca_file: FilePath | None = None
    smtp_connect_timeout_in_seconds: float = Field(10, gt=0)
    smtp_command_timeout_in_seconds: float = Field(30, gt=0)
    #: End of data may take ten minutes (RFC 5321 4.5.3.2.6).
    smtp_data_timeout_in_seconds: float = Field(600, gt=0)
    #: How long a claimed message belongs to its worker; longer than any SMTP dialogue.
    lease_in_seconds: float = Field(900, gt=0)
    #: Maildir or folder of the relay's accept log, asked about messages with an unknown outcome; empty: none.
    accept_log_directory: Path | None = None
    #: Postfix's own log as the accept log, instead of a Maildir; empty: none.
    accept_log_file: Path | None = None
    #: Where the transport `file` keeps messages.
    mail_directory: Path | None = None

    #: A provider of the Resend shape; used by the transport `provider`.
    provider_url: str = "https://api.resend.com"
    provider_key: SecretStr = SecretStr("")
    provider_timeout_in_seconds: float = Field(30, gt=0)

    #: Selector of the DKIM key that signs our mail; read by `enrollment-crm check-setup` alone, as the next one.
    dkim_selector: str = ""
    #: IP addresses that our mail leaves from, divided by commas; empty: those of the relay.
    relay_addresses: str = ""

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

    #: Where bounces come back to: maildir:/folder, or imaps://user@host/INBOX; empty: nowhere that we can read.
    bounce_mailbox_url: str = ""
    bounce_mailbox_password: SecretStr = SecretStr("")

    #: Where alerts go: a run that is late, a task that failed; empty: to the log only.
    operations_address: str = ""

    public_host: str = "127.0.0.1"
    #: Port of the public web app; 0: any free one.
    public_port: int = Field(0, ge=0, le=65535)
    #: Address under which applicants reach the public app; links in emails begin with it.
    public_url: str = "https://crm.example"
    #: Proxies whose X-Forwarded-For is believed: addresses and networks, separated by commas; empty: nobody's is.
    trusted_proxies: str = ""
    #: Posts of the form from one client at once, and again in each minute; a fair or a campus may share one address.
    form_posts_per_client_and_minute: int = Field(60, ge=1)
    #: Posts of the form for one email address at once, and again in each hour.
    form_posts_per_address_and_hour: int = Field(10, ge=1)
    #: Port of Airflow's web interface; 0: any free one.
    airflow_port: int = Field(0, ge=0, le=65535)

    #: Address of the Slate query (without its key); empty: no Slate feed.
    slate_query_url: str = ""
    slate_query_key: SecretStr = SecretStr("")
    feed_timeout_in_seconds: float = Field(30, gt=0)
    #: Folder into which other systems drop files: one sub-folder a source. Not set: ``drop`` in the state directory.
    drop_directory: Path = Field(default_factory=lambda others: others["state_directory"] / "drop")

    @property
    def longest_dialogue_in_seconds(self) -> float:
        """What a message may take from its worker's last look at the lease to the relay's last word."""
        return self.smtp_command_timeout_in_seconds + self.smtp_data_timeout_in_seconds

    @field_validator("as_of", mode="wrap")
    @classmethod
    def _an_instant(cls, value: object, read: ValidatorFunctionWrapHandler) -> object:
        try:
            return read(value)
        except ValidationError:
            raise ValueError(
                "This is no instant, which has a day, an hour and a zone. Write for example 2026-11-24T10:00:00-05:00, "
                "or leave it empty for the clock."
            ) from None

    @field_validator("mail_domain")
    @classmethod
    def _in_lower_case(cls, domain: str) -> str:
        """Reports return it in any case: what is compared is written in one."""
        return domain.lower()

    @field_validator("messages_a_minute")
    @classmethod
    def _by_domain(cls, limits: dict[str, int]) -> dict[str, int]:
        return {domain.lower().rstrip("."): limit for domain, limit in limits.items()}

    @field_validator("trusted_proxies")
    @classmethod
    def _addresses(cls, text: str) -> str:
        for one in filter(None, (part.strip() for part in text.split(","))):
            try:
                ip_network(one)
            except ValueError as error:
                raise ValueError(
                    f"CRM_TRUSTED_PROXIES: {error}: write addresses such as 10.0.0.7, 10.1.0.0/16."
                ) from None
        return text

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        dialogue = self.smtp_connect_timeout_in_seconds + self.longest_dialogue_in_seconds
        if self.lease_in_seconds <= dialogue:
            raise ValueError(
                f"CRM_LEASE_IN_SECONDS is {self.lease_in_seconds:g}, but one SMTP dialogue may take {dialogue:g} s: "
                "make the lease longer than the three SMTP timeouts together."
            )
        self._check_transport()
        if self.environment != "development":
            self._check_production()
        return self

    def _check_transport(self) -> None:
        if self.transport == "file" and self.mail_directory is None:
            raise ValueError("CRM_TRANSPORT is file: set CRM_MAIL_DIRECTORY to the folder that keeps the messages.")
        if self.transport == "provider" and not self.provider_key.get_secret_value():
            raise ValueError("CRM_TRANSPORT is provider: set CRM_PROVIDER_KEY to the key that the provider gave you.")
        if self.smtp_starttls and self.smtp_implicit_tls:
            raise ValueError("Set one of CRM_SMTP_STARTTLS (port 587) and CRM_SMTP_IMPLICIT_TLS (port 465), not both.")
        if self.accept_log_directory and self.accept_log_file:
            raise ValueError("Set one of CRM_ACCEPT_LOG_DIRECTORY and CRM_ACCEPT_LOG_FILE, not both.")

    def _check_production(self) -> None:
        where = self.environment
        if self.secret_key.get_secret_value() == "development-only":
            raise ValueError(f"Set CRM_SECRET_KEY to a random value: {where} does not start without one.")
        if not self.public_url.startswith("https://"):
            raise ValueError(f"CRM_PUBLIC_URL must begin with https:// in {where} (RFC 8058).")
        if self.failpoint:
            raise ValueError(f"CRM_FAILPOINT ends workers on purpose: it is for tests, unset it in {where}.")
        if self.smtp_username and not (self.smtp_starttls or self.smtp_implicit_tls):
            raise ValueError("CRM_SMTP_USERNAME would travel unencrypted: set CRM_SMTP_STARTTLS or _IMPLICIT_TLS.")
        if not self.provider_url.startswith("https://"):
            raise ValueError(f"CRM_PROVIDER_URL must begin with https:// in {where}: a key travels with each message.")
        if self.as_of is not None and where == "production":
            raise ValueError("CRM_AS_OF stops the clock: it is for demonstrations, unset it in production.")
