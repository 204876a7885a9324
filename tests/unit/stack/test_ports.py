"""Free ports, and what a person reads when the one that was asked for is taken."""

import os
import socket

import pytest

from enrollment_crm.stack.errors import PortTaken
from enrollment_crm.stack.ports import LOOPBACK, free_port, port_of


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
