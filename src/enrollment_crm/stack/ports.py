"""Ports of this machine: any free one, or the one that the settings fix, if nobody has it."""

import contextlib
import errno
import socket
from ipaddress import ip_address

import psutil

from enrollment_crm.stack.errors import HostUnusable, PortTaken

LOOPBACK = "127.0.0.1"
#: Below it, ports belong to the administrator of the machine.
_FIRST_FREE_FOR_ALL = 1024


def free_port(host: str = LOOPBACK) -> int:
    """A port that nobody listens on now. The system hands out another one at each call for a long while."""
    with _socket_for(host) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
    return port


def port_of(wanted: int, *, variable: str, host: str = LOOPBACK, host_variable: str = "") -> int:
    """The wanted port, or a free one for 0.

    Args:
        variable: names the setting of the port in what a person reads.
        host_variable: that of the host, where it can be set.

    Raises:
        HostUnusable: the host has no address, or one that is not of this machine.
        PortTaken: names who has the port and what to change.
    """
    try:
        free = free_port(host)
    except OSError as error:
        raise HostUnusable(_host_in_words(error, host, host_variable)) from error
    if wanted == 0:
        return free
    with _socket_for(host) as probe:
        # As servers do: a port whose last connections are fading away is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, wanted))
        except OSError as error:
            raise PortTaken(_port_in_words(error, wanted, host, variable)) from error
    return wanted


def host_in_url(host: str) -> str:
    """The host as a URL names it to somebody at this machine: 0.0.0.0 listens everywhere and is nowhere."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if address.is_unspecified:
        return LOOPBACK if address.version == 4 else "[::1]"  # noqa: PLR2004 - IPv4
    return str(address) if address.version == 4 else f"[{address}]"  # noqa: PLR2004 - IPv4


def _socket_for(host: str) -> socket.socket:
    """A socket of the family of the host's first address. Raises OSError where it has none."""
    family, kind, *_ = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0]
    return socket.socket(family, kind)


def _host_in_words(error: OSError, host: str, variable: str) -> str:
    if isinstance(error, socket.gaierror):
        problem = "that name has no address"
    elif error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
        problem = "that is no address of this machine"
    else:
        problem = error.strerror or str(error)
    return (
        f"Nothing can listen on {host}: {problem}. Set {variable or 'the host'} to 127.0.0.1 (this machine alone), "
        "to 0.0.0.0 (everybody who reaches this machine), or to one of this machine's own addresses."
    )


def _port_in_words(error: OSError, port: int, host: str, variable: str) -> str:
    if error.errno == errno.EACCES:
        return (
            f"Port {port} on {host} cannot be used: ports below {_FIRST_FREE_FOR_ALL} are the administrator's. "
            f"Set {variable} to a higher port, or to 0 for any free one."
        )
    return (
        f"Port {port} on {host} cannot be used: {_reason(error, port)}. "
        f"End that program, or set {variable} to another port, or to 0 for any free one."
    )


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
