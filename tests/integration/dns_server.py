"""A real DNS server on loopback that knows a few names, and is silent about others."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from enrollment_crm.mail.dns import Dns


@dataclass
class DnsServer:
    """Records by name and type: ``{("crm.example", "TXT"): ["..."]}``."""

    records: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    #: Questions about these names get no answer at all.
    silent: set[str] = field(default_factory=set)
    port: int = 0
    questions: list[str] = field(default_factory=list)

    @property
    def client(self) -> Dns:
        """A client of this server, which waits a second at most."""
        return Dns((f"127.0.0.1:{self.port}",), timeout_in_seconds=0.6)

    def text(self, name: str, *texts: str) -> None:
        """A TXT record each; long ones in strings of 255 octets, as DNS has them."""
        self.records[name, "TXT"] = [
            " ".join(f'"{text[start : start + 255]}"' for start in range(0, len(text), 255)) for text in texts
        ]

    def serve(self, server: socket.socket, ended: threading.Event) -> None:
        """Answer until that is over."""
        while not ended.is_set():
            try:
                octets, client = server.recvfrom(4096)
            except TimeoutError:
                continue
            query = dns.message.from_wire(octets)
            name, kind = query.question[0].name, query.question[0].rdtype
            text = name.to_text(omit_final_dot=True)
            if text in self.silent:
                continue
            self.questions.append(f"{dns.rdatatype.to_text(kind)} {text}")
            server.sendto(self._answer(query, text, dns.rdatatype.to_text(kind)).to_wire(), client)

    def _answer(self, query: dns.message.Message, name: str, kind: str) -> dns.message.Message:
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA | dns.flags.AA
        if values := self.records.get((name, kind)):
            response.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", kind, *values))
        elif not any(known == name for known, _ in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response


@contextmanager
def running_dns_server() -> Iterator[DnsServer]:
    """The server on a free port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.05)
        one, ended = DnsServer(port=server.getsockname()[1]), threading.Event()
        thread = threading.Thread(target=one.serve, args=(server, ended), daemon=True)
        thread.start()
        try:
            yield one
        finally:
            ended.set()
            thread.join(timeout=2)
