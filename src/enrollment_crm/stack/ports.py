"""Ports on loopback: any free one, or the one that the settings fix, if nobody has it."""

import contextlib
import socket

import psutil

from enrollment_crm.stack.errors import PortTaken

LOOPBACK = "127.0.0.1"


def free_port(host: str = LOOPBACK) -> int:
    """A port that nobody listens on now. The system hands out another one at each call for a long while."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
    return port


def port_of(wanted: int, *, variable: str, host: str = LOOPBACK) -> int:
    """The wanted port, or a free one for 0. Raises PortTaken, which names who has it and what to change."""
    if wanted == 0:
        return free_port(host)
    with socket.socket() as probe:
        # As servers do: a port whose last connections are fading away is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, wanted))
        except OSError as error:
            raise PortTaken(
                f"Port {wanted} on {host} cannot be used: {_reason(error, wanted)}. "
                f"End that program, or set {variable} to another port, or to 0 for any free one."
            ) from error
    return wanted


def _reason(error: OSError, port: int) -> str:
    holder = _holder_of(port)
    return f"{holder} listens on it" if holder else (error.strerror or str(error))


def _holder_of(port: int) -> str | None:
    """Program and process id, when the system lets us see them."""
    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections(kind="tcp"):
            local_port = connection.laddr[1] if connection.laddr else None
            if (connection.status, local_port) == (psutil.CONN_LISTEN, port) and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    return None
