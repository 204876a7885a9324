"""Free ports, and what a person reads when the one that was asked for is taken."""

import errno
import os
import socket

import pytest

from enrollment_crm.stack.errors import HostUnusable, PortTaken
from enrollment_crm.stack.ports import LOOPBACK, free_port, host_in_url, port_of


def test_zero_means_a_free_one() -> None:
    port = port_of(0, variable="CRM_PUBLIC_PORT")
    with socket.create_server((LOOPBACK, port)):
        pass


def test_free_ports_differ() -> None:
    assert len({free_port() for _ in range(20)}) > 15


def test_wanted_port() -> None:
    port = free_port()
    assert port_of(port, variable="CRM_PUBLIC_PORT") == port


def test_taken_port_names_holder_and_remedy() -> None:
    with socket.create_server((LOOPBACK, 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(PortTaken) as caught:
            port_of(port, variable="CRM_AIRFLOW_PORT")
    message = str(caught.value)
    assert f"Port {port} on 127.0.0.1" in message
    assert f"(process {os.getpid()})" in message
    assert "set CRM_AIRFLOW_PORT to another port, or to 0 for any free one" in message


def test_port_of_a_connection_that_fades_away_is_free() -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        client = socket.create_connection((LOOPBACK, port))
        connection, _ = server.accept()
        connection.close()  # the side that closes first keeps the address for a minute
        client.close()
    assert port_of(port, variable="CRM_PUBLIC_PORT") == port


@pytest.mark.parametrize(
    ("host", "problem"),
    [
        ("no-such-host.invalid", "that name has no address"),
        ("192.0.2.1", "that is no address of this machine"),  # for documentation only: RFC 5737
    ],
)
@pytest.mark.parametrize("wanted", [0, 8000])
def test_a_host_that_nothing_can_listen_on_is_named_and_not_the_port(host: str, problem: str, wanted: int) -> None:
    with pytest.raises(HostUnusable) as caught:
        port_of(wanted, variable="CRM_PUBLIC_PORT", host=host, host_variable="CRM_PUBLIC_HOST")
    message = str(caught.value)
    assert message.startswith(f"Nothing can listen on {host}: {problem}.")
    assert "Set CRM_PUBLIC_HOST to 127.0.0.1" in message
    assert "CRM_PUBLIC_PORT" not in message


def test_a_port_of_the_administrator_has_a_remedy_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    bind = socket.socket.bind

    def refuse_low_ports(one: socket.socket, address: tuple[str, int]) -> None:
        if 0 < address[1] < 1024:
            raise PermissionError(errno.EACCES, "Permission denied")
        bind(one, address)

    monkeypatch.setattr(socket.socket, "bind", refuse_low_ports)
    with pytest.raises(PortTaken, match=r"ports below 1024 are the administrator's\. Set CRM_PUBLIC_PORT to a higher"):
        port_of(80, variable="CRM_PUBLIC_PORT")


def has_version_6() -> bool:
    """Whether this machine has a loopback of version 6."""
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.mark.skipif(not has_version_6(), reason="this machine has no IPv6")
def test_a_host_may_have_an_address_of_version_6() -> None:
    assert port_of(0, variable="CRM_PUBLIC_PORT", host="::1") > 0


@pytest.mark.parametrize(
    ("host", "in_url"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("localhost", "localhost"),
        ("::1", "[::1]"),
        ("0.0.0.0", "127.0.0.1"),
        ("::", "[::1]"),
    ],
)
def test_a_host_as_somebody_at_this_machine_writes_it(host: str, in_url: str) -> None:
    assert host_in_url(host) == in_url
