"""Addresses that strangers and providers give never lead to this machine, its network or its cloud's metadata.

Three doors take such addresses: the address box, a provider's result, a provider's upload ticket. Real
listeners on loopback, on the very ports that the addresses name, must not see one connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from backends.http.addresses import is_public, resolve
from backends.http.answer import Answer, NotSent
from backends.http.client import ProviderClient
from backends.http.safe_fetch import MAX_REDIRECTS, HookCaller, ImageFetcher
from core.errors import FetchFailed
from tests.support.fakes import picture_bytes

PUBLIC = "93.184.216.34"
PUBLIC_6 = "2606:2800:220:1::1"
PICTURE = picture_bytes()
PATIENCE = 10.0
"""What the limits of time of a client of a provider are multiplied by; the other doors have as much as it has."""

# ---- the forms ---------------------------------------------------------------------------------------

LOOPBACK = [
    *("127.0.0.1", "127.1.2.3", "127.255.255.254", "127.1", "127.0.1", "127.65537", "127.000.000.001"),
    *("2130706433", "017700000001", "0x7f000001", "0X7F000001"),
    *("0x7f.1", "0x7f.0.1", "0x7f.0.0.1", "0x7f.0x0.0x0.0x1", "127.0x1", "127.0.0x0.01"),
    *("0177.0.0.1", "0177.1", "00000177.0x0.1", "0177.0000.0000.0001"),
    *("0", "0.0.0.0", "0x0", "00", "0.0"),
    *("[::1]", "[::0001]", "[0:0:0:0:0:0:0:1]", "[0000:0000:0000:0000:0000:0000:0000:0001]", "[::0.0.0.1]"),
    *("[::]", "[0:0:0:0:0:0:0:0]", "[::1%lo]", "[::1%25lo]"),
    *("[::ffff:127.0.0.1]", "[::FFFF:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:7f00:0001]", "[::ffff:0:0]"),
]
"""This machine, as a browser or the system's resolver may read it."""

METADATA = [
    *("169.254.169.254", "2852039166", "0xa9fea9fe", "025177524776", "0xa9.0xfe.0xa9.0xfe", "0251.0376.0251.0376"),
    *("169.254.43518", "0251.254.0xa9fe", "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[::a9fe:a9fe]"),
    *("169.254.170.2", "169.254.169.253", "[fd00:ec2::254]", "[fd00:0ec2:0:0:0:0:0:254]", "[fd00:ec2::23]"),
    *("[fd20:ce::254]", "100.100.100.200", "192.0.0.192", "168.63.129.16"),
]
"""What clouds tell a machine of itself, keys included: AWS, Google, Alibaba, Oracle, Azure."""

PRIVATE = [
    *("10.0.0.1", "10.255.255.254", "167772161", "0x0a.1", "012.0.0.1", "172.16.0.1", "172.31.255.254"),
    *("192.168.0.1", "192.168.257", "3232235777", "0xc0a80101", "0300.0250.1.1"),
    *("100.64.0.1", "100.127.255.254", "169.254.1.1", "[fe80::1]", "[fe80::1%lo]", "[fe80::1%25eth0]"),
    *("[fc00::1]", "[fd12:3456:789a::1]", "[fec0::1]", "[::ffff:10.0.0.1]", "[::ffff:c0a8:101]"),
    *("0.1.2.3", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "[ff02::1]", "[2001:db8::1]"),
]

CARRIED = [
    *("[::127.0.0.1]", "[::7f00:1]", "[::10.0.0.1]"),  # IPv4-compatible
    *("[::ffff:0:127.0.0.1]", "[::ffff:0:a9fe:a9fe]"),  # IPv4-translated
    *("[2002:7f00:1::]", "[2002:7f00:1::1]", "[2002:a9fe:a9fe::]", "[2002:c0a8:101::]"),  # 6to4
    *("[64:ff9b::7f00:1]", "[64:ff9b::127.0.0.1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::a9fe:a9fe]"),  # NAT64
    *("[2001:0:7f00:1::]", "[2001:0:4136:e378:8000:63bf:80ff:fffe]"),  # Teredo: server, hidden client
]
"""IPv4 addresses inside IPv6 ones."""

NAMES = [
    *("localhost", "localhost.", "LOCALHOST", "LocalHost", "localhost.localdomain", "ip6-localhost"),
    *("127.0.0.1.nip.io", "127-0-0-1.sslip.io", "7f000001.nip.io", "localtest.me", "lvh.me"),
    *("metadata.google.internal", "metadata.google.internal.", "METADATA.google.internal", "metadata", "instance-data"),
    *("kubernetes.default.svc", "host.docker.internal", "six.example", "mapped.example", "nat64.example"),
    *("ula.example", "nothing.example", "words.example"),
    *("127.0.0.1.", "127.1.", "2130706433.", "0x7f000001.", "127.0.0.1.example", "6425673729"),
    "127.0.0.256",
    *("127%2e0%2e0%2e1", "%31%32%37.0.0.1", "%6c%6f%63%61%6c%68%6f%73%74", "loc%61lhost", "127.0.0.1%00.good.example"),
    *("127.0.0.1%20", "127.0.0.1%09", "127.0.0.1%0d%0a", "%5b::1%5d", "good.example%2f127.0.0.1", "%e2%91%a0"),
    *("127。0。0。1", "127．0．0．1", "127｡0｡0｡1", "127.0.0.1。", "１２７.0.0.1", "１２７．０．０．１", "１２７。１"),
    *("①②⑦.⓪.⓪.①", "١٢٧.٠.٠.١", "१२७.०.०.१", "𝟏𝟐𝟕.𝟎.𝟎.𝟏", "2１30706433", "0ｘ7f000001", "[::１]"),
    *("ｌｏｃａｌｈｏｓｔ", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "ℓocalhost", "localhoſt", "local\u00adhost", "localhost\u200b"),
    "\u2060localhost",
    *("localhost\u3002", "\u202e1.0.0.721", "xn--fiqs8s", "faß.example"),
    *("127.0.0.1..", ".127.0.0.1", "127..1", "localhost..", "a" * 64 + ".example", "a." * 130 + "example"),
    *("xn--", "xn--a", "xn--\u00e4", "xn--a.127.0.0.1", "xn--localhost-.example", "\ud800", "\ud800.example"),
    *(".", "..", "%", "%00", "*", "-", "_", "~", "127.0.0.1,good.example", "127.0.0.1;good.example", "$(hostname)"),
]
"""Names, and what only looks like one. The resolver of these tests says what they lead to: loopback, if not told."""

KNOWN = {
    "good.example": [PUBLIC],
    "metadata.google.internal": ["169.254.169.254"],
    "metadata": ["169.254.169.254"],
    "instance-data": ["169.254.169.254"],
    "kubernetes.default.svc": ["10.96.0.1"],
    "host.docker.internal": ["172.17.0.1"],
    "six.example": ["::1"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "nat64.example": ["64:ff9b::7f00:1"],
    "ula.example": ["fd00:ec2::254"],
    "nothing.example": [],
    "words.example": ["localhost"],
}

HOSTS = [*LOOPBACK, *METADATA, *PRIVATE, *CARRIED, *NAMES]
WAYS = ("http://{host}/x.png", "http://{host}:{port}/x.png", "https://{host}/x.png", "https://{host}:{port}/x.png")

TRICKS = [
    # a name before the @
    *("http://good.example@127.0.0.1/", "http://good.example:80@127.0.0.1:{port}/", "http://@127.0.0.1/"),
    *("http://:@127.0.0.1:{port}/", "http://user:word@[::1]:{port}/", "http://good.example@@127.0.0.1/"),
    *("http://good.example%2f@127.0.0.1:{port}/", "http://good.example%23@127.0.0.1/", "http://a@good.example@127.1/"),
    *("http://good.example%40127.0.0.1/", "http://127.0.0.1:{port}@127.0.0.1/", "https://good.example&@127.0.0.1/"),
    # what some read as a slash, a query or an end
    *("http://good.example\\@127.0.0.1/", "http://127.0.0.1:{port}\\@good.example/"),
    "http://127.0.0.1\\.good.example/",
    *("http:\\\\127.0.0.1:{port}\\x", "http:/\\127.0.0.1:{port}/", "\\\\127.0.0.1\\x"),
    "http://good.example\\.127.0.0.1/",
    *("http://127.0.0.1:{port}#@good.example/", "http://127.0.0.1:{port}?@good.example/"),
    "http://127.0.0.1#good.example",
    *("http://127.0.0.1／good.example/", "http://good.example＠127.0.0.1/", "http://127.0.0.1＃good.example/"),
    *("http://127.0.0.1：{port}/", "http://good.example;@127.0.0.1/", "http://127.0.0.1/?good.example"),
    # blanks and control signs
    *("http://127.0.0\t.1/", "http://127.0.0.1\n:{port}/", "ht\ntp://127.0.0.1/", "\thttp://127.0.0.1:{port}/"),
    *(" http://127.0.0.1:{port}/", "http:// 127.0.0.1/", "http://127.0.0.1 /", "http://127.0.0.1:{port} /"),
    *("http://127.0.0.1\r\nHost: good.example/", "http://127.0.0.1:{port}/\r\nX: y"),
    "http://127.0.0.1\0.good.example/",
    *("http://good.example\0@127.0.0.1/", "http://127.0.0.1\x7f/", "http://127.0.0.1\u2028/"),
    "\ufeffhttp://127.0.0.1/",
    *("http://127.0.0.1\u00a0:{port}/", "http://127.0.0.1/\ud800", "http://127.0.0.1:{port}/?\ud800", "\ud800"),
    # ports
    *(
        f"http://127.0.0.1:{port}/"
        for port in ("", 0, 1, 22, 25, 80, 443, 6379, 11434, 65535, 65536, 10**9, "9" * 5000)
    ),
    *(
        f"http://127.0.0.1:{port}/"
        for port in ("-1", "+{port}", "0{port}", "８０", "٨٠", "8_0", "%38%30", "1e2", "0x50")
    ),
    *("http://127.0.0.1:80:{port}/", "http://127.0.0.1:{port}:80/", "https://127.0.0.1:80/", "https://127.0.0.1:443/"),
    *("http://127.0.0.1: {port}/", "http://127.0.0.1:{port}a/", "http://[::1]:80/", "http://[::1]:{port}:80/"),
    # other schemes
    *("file:///etc/passwd", "file://127.0.0.1/etc/passwd", "file://127.0.0.1:{port}/x", "FILE:/etc/passwd"),
    *("ftp://127.0.0.1:{port}/x.png", "sftp://127.0.0.1:{port}/", "tftp://127.0.0.1:{port}/x"),
    *("gopher://127.0.0.1:{port}/_GET%20/", "dict://127.0.0.1:{port}/info", "ldap://127.0.0.1:{port}/dc=x"),
    *("ldaps://127.0.0.1:{port}/", "jar:http://127.0.0.1:{port}!/x", "ws://127.0.0.1:{port}/"),
    "wss://127.0.0.1:{port}/",
    *("http+unix://%2Fvar%2Frun%2Fdocker.sock/info", "unix:/var/run/docker.sock", "netdoc:///etc/passwd"),
    *("view-source:http://127.0.0.1:{port}/", "url:http://127.0.0.1:{port}/", "javascript:fetch('http://127.0.0.1')"),
    *("data:image/png;base64,A", "data:image/png;base64," + "=" * 1_000_000, "data:" + "x" * 60_000, "blob:null/1"),
    *("socks5://127.0.0.1:{port}/", "httpx://127.0.0.1:{port}/", "http2://127.0.0.1/", "-http://127.0.0.1/"),
    *("HTTP://127.0.0.1:{port}/", "hTtPs://127.0.0.1/", "ｈttp://127.0.0.1/", "http&#58;//127.0.0.1/"),
    # a scheme or a host too few
    *("//127.0.0.1:{port}/x", "///127.0.0.1:{port}/x", "127.0.0.1:{port}", "127.0.0.1"),
    *("localhost:{port}/x", "/x", "x"),
    *("http:127.0.0.1:{port}", "http:/127.0.0.1:{port}/", "http:///127.0.0.1:{port}/", "http:////127.0.0.1:{port}/"),
    *("", " ", "http:", "http://", "http:///x", "https://:{port}/", "http://:80/", "http://?", "http://#", "http://@/"),
    *("http://[]/", "http://[::1", "http://::1/", "http://::1:{port}/", "http://[127.0.0.1]/", "http://[::1]]/"),
    *("http://[::1]good.example/", "http://good.example[::1]/", "http://[v1.127]/", "http://[::1%]/"),
    "http://[::1%@]/",
]

TARGETS = [
    *("http://127.0.0.1:{port}/x", "http://127.0.0.1/x", "https://127.0.0.1/x", "//127.0.0.1:{port}/x"),
    "//127.0.0.1/x",
    *("http://[::1]:{port}/x", "http://[::1]/x", "http://[::ffff:127.0.0.1]/x", "http://[::127.0.0.1]/x"),
    *("http://2130706433/x", "http://0x7f.1/x", "http://0177.0.0.1/x", "http://0/x", "http://localhost/x"),
    *("http://10.0.0.1/x", "http://192.168.0.1/x", "http://172.16.0.1/x", "http://100.64.0.1/x", "http://[fc00::1]/x"),
    *("http://169.254.169.254/latest/meta-data/", "http://metadata.google.internal/", "http://[fd00:ec2::254]/latest/"),
    *("http://192.0.0.192/x", "http://168.63.129.16/x", "http://[fe80::1%lo]/x", "http://[2002:7f00:1::]/x"),
    *("http://[64:ff9b::7f00:1]/x", "http://[2001:0:7f00:1::]/x", "http://127.0.0.1.nip.io/x"),
    *("http://good.example@127.0.0.1:{port}/x", "http://127.0.0.1\\@good.example/x", "/\\127.0.0.1:{port}/x"),
    *("\\\\127.0.0.1:{port}\\x", "http:\\\\127.0.0.1:{port}\\x", "http:127.0.0.1:{port}", "http:///127.0.0.1:{port}/x"),
    *("http:/127.0.0.1:{port}/x", "http://127。0。0。1/x", "http://127.0.0.1\t/x", "http://good.example:{port}/x"),
    *("file:///etc/passwd", "ftp://127.0.0.1:{port}/x", "gopher://127.0.0.1:{port}/x", "data:image/png;base64,AAAA"),
    *("http://127.0.0.1../x", "http://xn--a/x", "http://", "http://[::1"),
]
"""Where a redirect may want to send us."""


def sign(value: object) -> str:
    """Return a test's name for a form: ASCII, and not a megabyte long."""
    return ascii(value)[1:-1][:60] or "empty"


# ---- the listeners, the wire, the resolver, the doors ------------------------------------------------


class Canaries:
    """Listeners on loopback that answer everybody with a picture, and count.

    Attributes:
        port: the high port that all hosts share.
        places: the hosts and ports that could be had; 80 and 443 are among them where they may be.
        met: connections so far.
    """

    def __init__(self) -> None:
        self.port = 0
        self.places: list[tuple[str, int]] = []
        self.met = 0
        self._servers: list[asyncio.Server] = []

    async def start(self) -> None:
        await self._listen("127.0.0.1", 0)
        self.port = self._servers[0].sockets[0].getsockname()[1]
        self.places = [("127.0.0.1", self.port)]
        for host, port in [
            *(("127.1.2.3", self.port), ("::1", self.port)),
            *((host, port) for host in ("127.0.0.1", "::1") for port in (80, 443)),
        ]:
            with contextlib.suppress(OSError):  # no IPv6 here, no right to low ports, or somebody else has it
                await self._listen(host, port)
                self.places.append((host, port))

    async def stop(self) -> None:
        for server in self._servers:
            server.close()
            await server.wait_closed()

    async def strangers(self) -> int:
        """Return how many have connected, counting those whom no listener has accepted yet.

        Each listener is visited once: queues are fair, so whoever came before has been met by then, and
        a listener that would notice nobody fails here.
        """
        for host, port in self.places:
            before = self.met
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            assert (await reader.read()).endswith(PICTURE)
            writer.close()
            await writer.wait_closed()
            assert self.met > before
        return self.met - len(self.places)

    async def _listen(self, host: str, port: int) -> None:
        self._servers.append(await asyncio.start_server(self._meet, host, port))

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.met += 1
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
            async with asyncio.timeout(120):
                head = await reader.readuntil(b"\r\n\r\n")
                size = [line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                await reader.readexactly(int(size[0]) if size else 0)
                length = str(len(PICTURE)).encode()
                writer.write(
                    b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + length + b"\r\n\r\n" + PICTURE
                )
                await writer.drain()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@pytest.fixture
async def canaries() -> AsyncIterator[Canaries]:
    made = Canaries()
    await made.start()
    yield made
    await made.stop()


class Wire(httpx.AsyncBaseTransport):
    """The real network as far as this machine's loopback, and one public address, answered by a function.

    Attributes:
        asked: the hosts that requests went to.
    """

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response] | None = None) -> None:
        self.answer = answer or (lambda _: httpx.Response(200, content=PICTURE))
        self.asked: list[str] = []
        self._network = httpx.AsyncHTTPTransport(verify=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.host)
        if request.url.host == PUBLIC:
            return self.answer(request)
        if elsewhere(request.url.host):
            raise httpx.ConnectError("These tests ask nobody outside.")
        return await self._network.handle_async_request(request)

    async def aclose(self) -> None:
        await self._network.aclose()


def elsewhere(host: str) -> bool:
    """Return whether it is an address, and not this machine's: a name may lead anywhere."""
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return False
    ip = (ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None) or ip
    return not (ip.is_loopback or ip.is_unspecified)


class Names:
    """The system's resolver for what it reads as a number; for names our own answers, the last one for ever.

    Attributes:
        asked: the hosts that were looked up.
    """

    def __init__(self, **answers: list[list[str]]) -> None:
        self._answers = {name.replace("_", "."): list(each) for name, each in answers.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        try:
            socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
        except socket.gaierror:  # a UnicodeError comes from the system's resolver too, and is left to the door
            name = host.lower().rstrip(".")
            if name in self._answers:
                answers = self._answers[name]
                return answers.pop(0) if len(answers) > 1 else answers[0]
            return KNOWN.get(name, ["127.0.0.1"])
        return await resolve(host, port)


async def at_once(_: float) -> None:
    """Sleep no time."""


def provider(wire: Wire | None, names: Names, base_url: str = "https://api.example") -> ProviderClient:
    return ProviderClient(base_url, wire, names, sleep=at_once, patience=PATIENCE)


async def the_box(wire: Wire, names: Names, address: str) -> object:
    return await ImageFetcher(wire, names, deadline=60 * PATIENCE)(address)


async def a_result(wire: Wire, names: Names, address: str) -> object:
    return await provider(wire, names).download(address)


async def a_ticket(wire: Wire, names: Names, address: str) -> Answer:
    client = provider(wire, names)
    try:
        return await client.put(address, {"x-upload": "1"}, PICTURE)
    finally:
        await client.close()


async def a_webhook(wire: Wire, names: Names, address: str) -> object:
    return await HookCaller((), wire, names, deadline=60 * PATIENCE)(address, PICTURE, {"webhook-id": "1"})


DOORS: dict[str, Callable[[Wire, Names, str], Awaitable[object]]] = {
    "the box": the_box,
    "a result": a_result,
    "a ticket": a_ticket,
    "a webhook": a_webhook,
}
REFUSALS: dict[str, tuple[type[Exception], ...]] = {
    "the box": (FetchFailed,),
    "a result": (FetchFailed,),
    "a ticket": (FetchFailed, NotSent),
    "a webhook": (FetchFailed,),
}

at_every_door = pytest.mark.parametrize("door", DOORS)
at_the_reading_doors = pytest.mark.parametrize("door", ["the box", "a result"])


async def see_refused(door: str, address: str, canaries: Canaries, names: Names | None = None) -> None:
    """See that an address is refused in words and before any request is made."""
    wire = Wire()
    try:
        await DOORS[door](wire, names or Names(), address.replace("{port}", str(canaries.port)))
    except REFUSALS[door]:
        assert wire.asked == [], address
    else:
        pytest.fail(f"{door} took {address}")


# ---- can these tests fail? ---------------------------------------------------------------------------


async def test_the_listeners_notice_whoever_comes(canaries: Canaries) -> None:
    assert await canaries.strangers() == 0
    canaries.met = 0
    async with httpx.AsyncClient(transport=Wire()) as client:
        for host, port in canaries.places:
            shown = f"[{host}]" if ":" in host else host
            assert (await client.get(f"http://{shown}:{port}/x.png")).content == PICTURE
    assert await canaries.strangers() == len(canaries.places)


async def test_the_listeners_notice_who_connects_and_says_nothing(canaries: Canaries) -> None:
    with socket.create_connection(("127.0.0.1", canaries.port)):
        assert await canaries.strangers() == 1


@at_every_door
async def test_the_public_host_of_these_tests_is_read(door: str, canaries: Canaries) -> None:
    wire = Wire()
    answer = await DOORS[door](wire, Names(), "http://good.example/x.png")
    assert answer in (PICTURE, 200) or (isinstance(answer, Answer) and answer.ok)
    assert wire.asked == [PUBLIC]
    assert await canaries.strangers() == 0


def test_there_are_enough_forms() -> None:
    assert len(HOSTS) == len(set(HOSTS))
    assert len(TRICKS) == len(set(TRICKS))
    assert len(HOSTS) + len(TRICKS) > 300


# ---- every form at every door ------------------------------------------------------------------------


@at_every_door
async def test_a_host_that_leads_inside_is_refused(door: str, canaries: Canaries) -> None:
    for host in HOSTS:
        for way in WAYS:
            await see_refused(door, way.replace("{host}", host), canaries)
    assert await canaries.strangers() == 0


@at_every_door
async def test_an_address_that_hides_where_it_leads_is_refused(door: str, canaries: Canaries) -> None:
    for address in TRICKS:
        await see_refused(door, address, canaries)
    assert await canaries.strangers() == 0


@at_every_door
async def test_loopback_is_refused_over_the_real_network_too(door: str, canaries: Canaries) -> None:
    client = ProviderClient("https://api.example", sleep=at_once)
    doors: dict[str, Callable[[str], Awaitable[object]]] = {
        "the box": ImageFetcher(),
        "a result": client.download,
        "a ticket": lambda address: client.put(address, {}, PICTURE),
        "a webhook": lambda address: HookCaller()(address, PICTURE, {}),
    }
    for host in [*LOOPBACK, "localhost", "LOCALHOST"]:
        for way in WAYS[:2]:
            with pytest.raises(REFUSALS[door]):
                await doors[door](way.replace("{host}", host).replace("{port}", str(canaries.port)))
    await client.close()
    assert await canaries.strangers() == 0


@pytest.mark.parametrize("host", [*METADATA, *PRIVATE, *CARRIED, *LOOPBACK], ids=sign)
async def test_no_address_of_the_inside_counts_as_public(host: str) -> None:
    try:
        found = await resolve(host.strip("[]"), 80)
    except OSError:
        return  # a form that this system does not read leads nowhere
    assert not any(is_public(each) for each in found)


@at_every_door
@pytest.mark.parametrize(
    "found",
    [
        [PUBLIC, "127.0.0.1"],
        ["127.0.0.1", PUBLIC],
        [PUBLIC, "::1"],
        [PUBLIC, PUBLIC_6, "10.0.0.1"],
        [PUBLIC, "169.254.169.254"],
        [PUBLIC, "0.0.0.0"],
        [PUBLIC, "::ffff:127.0.0.1"],
        [PUBLIC, "::127.0.0.1"],
        [PUBLIC, "64:ff9b::7f00:1"],
        [PUBLIC, "fe80::1%lo"],
        [PUBLIC, "localhost"],
        [PUBLIC, ""],
    ],
    ids=sign,
)
async def test_a_name_with_a_public_and_a_private_address_is_refused(
    found: list[str], door: str, canaries: Canaries
) -> None:
    for way in WAYS:
        await see_refused(door, way.replace("{host}", "two.example"), canaries, Names(two_example=[found]))
    assert await canaries.strangers() == 0


@at_every_door
@pytest.mark.parametrize(
    "address",
    [
        "http://good.example#@127.0.0.1:{port}/",
        "http://good.example/@127.0.0.1:{port}/",
        "http://good.example?@127.0.0.1:{port}/",
        "http://good.example/?url=http://127.0.0.1:{port}/",
        "http://good.example/http://127.0.0.1:{port}/",
        "http://good.example//127.0.0.1:{port}/x",
        "http://good.example/../../127.0.0.1:{port}",
        "http://good.example:80/\\@127.0.0.1:{port}/",
        "http://good.example./",
        "HTTP://GOOD.EXAMPLE/",
    ],
    ids=sign,
)
async def test_a_public_host_with_an_inside_address_beside_it_is_the_only_one_asked(
    address: str, door: str, canaries: Canaries
) -> None:
    wire = Wire()
    await DOORS[door](wire, Names(), address.replace("{port}", str(canaries.port)))
    assert wire.asked == [PUBLIC]
    assert await canaries.strangers() == 0


# ---- names that change their mind --------------------------------------------------------------------


@at_every_door
@pytest.mark.parametrize("later", ["127.0.0.1", "::1", "169.254.169.254"])
async def test_a_name_that_turns_inside_after_the_check_is_asked_where_it_was_checked(
    later: str, door: str, canaries: Canaries
) -> None:
    hosts: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        hosts.append(request.headers["host"])
        return httpx.Response(200, content=PICTURE)

    wire, names = Wire(answer), Names(turning_example=[[PUBLIC], [later]])
    await DOORS[door](wire, names, "http://turning.example/x.png")
    assert wire.asked == [PUBLIC]
    assert hosts == names.asked == ["turning.example"]
    with pytest.raises(FetchFailed):
        await DOORS[door](wire, names, "http://turning.example/x.png")
    assert wire.asked == [PUBLIC]
    assert await canaries.strangers() == 0


@at_the_reading_doors
async def test_a_name_that_turns_inside_between_two_redirects_is_refused(door: str, canaries: Canaries) -> None:
    wire = Wire(lambda _: httpx.Response(302, headers={"Location": "/again.png"}))
    with pytest.raises(FetchFailed, match="points to a private network"):
        await DOORS[door](wire, Names(turning_example=[[PUBLIC], ["127.0.0.1"]]), "http://turning.example/x.png")
    assert wire.asked == [PUBLIC]
    assert await canaries.strangers() == 0


async def test_a_name_that_turns_inside_between_two_tries_is_refused(canaries: Canaries) -> None:
    wire = Wire(lambda _: httpx.Response(503))
    names = Names(turning_example=[[PUBLIC], ["127.0.0.1"]])
    with pytest.raises(FetchFailed, match="points to a private network"):
        await a_result(wire, names, "http://turning.example/x.png")
    assert wire.asked == [PUBLIC]
    assert await canaries.strangers() == 0


# ---- redirects ---------------------------------------------------------------------------------------


def sending(status: int, target: str) -> Wire:
    """Return a wire whose public host sends everybody elsewhere."""
    return Wire(lambda _: httpx.Response(status, headers=[(b"location", target.encode())]))


@at_the_reading_doors
@pytest.mark.parametrize("target", TARGETS, ids=sign)
async def test_a_redirect_to_the_inside_is_not_followed(target: str, door: str, canaries: Canaries) -> None:
    for status in (301, 302, 303, 307, 308):
        wire = sending(status, target.replace("{port}", str(canaries.port)))
        with pytest.raises(FetchFailed):
            await DOORS[door](wire, Names(), "http://good.example/x.png")
        assert set(wire.asked) == {PUBLIC}
    assert await canaries.strangers() == 0


@pytest.mark.parametrize("target", TARGETS, ids=sign)
async def test_an_upload_follows_no_redirect_at_all(target: str, canaries: Canaries) -> None:
    for status in (301, 302, 303, 307, 308):
        wire = sending(status, target.replace("{port}", str(canaries.port)))
        with contextlib.suppress(NotSent):  # httpx reads the target though nobody follows it, and may find it broken
            assert not (await a_ticket(wire, Names(), "http://good.example/put")).ok
        assert wire.asked == [PUBLIC]
    assert await canaries.strangers() == 0


@at_the_reading_doors
async def test_the_last_redirect_is_checked_as_the_first(door: str, canaries: Canaries) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        hop = int(request.url.path.strip("/") or 0) + 1
        target = f"http://hop{hop}.example/{hop}" if hop < MAX_REDIRECTS else f"http://127.0.0.1:{canaries.port}/"
        return httpx.Response(302, headers={"Location": target})

    wire = Wire(answer)
    names = Names(**{f"hop{hop}_example": [[PUBLIC]] for hop in range(MAX_REDIRECTS)})
    with pytest.raises(FetchFailed, match="This link cannot be used"):
        await DOORS[door](wire, names, "http://good.example/0")
    assert set(wire.asked) == {PUBLIC}
    assert await canaries.strangers() == 0


# ---- the one inside address that is allowed: the owner's ---------------------------------------------


async def test_the_providers_own_origin_may_lie_inside(canaries: Canaries) -> None:
    wire, names = Wire(), Names()
    client = provider(wire, names, f"http://127.0.0.1:{canaries.port}/")
    assert await client.download(f"http://127.0.0.1:{canaries.port}/files/x.png") == PICTURE
    assert (await client.put(f"http://127.0.0.1:{canaries.port}/put/x", {}, PICTURE)).ok
    await client.close()
    assert wire.asked == ["127.0.0.1", "127.0.0.1"]
    assert names.asked == []
    assert await canaries.strangers() == 2


async def test_the_providers_own_origin_is_reached_over_the_real_network(canaries: Canaries) -> None:
    client = ProviderClient(f"http://127.0.0.1:{canaries.port}", sleep=at_once, patience=PATIENCE)
    assert await client.download(f"http://127.0.0.1:{canaries.port}/files/x.png") == PICTURE
    assert (await client.put(f"http://127.0.0.1:{canaries.port}/put/x", {}, PICTURE)).ok
    await client.close()
    assert await canaries.strangers() == 2


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1/x",
        "http://127.0.0.1:1/x",
        "http://127.0.0.1:{other}/x",
        "https://127.0.0.1:{port}/x",
        "http://127.1:{port}/x",
        "http://127.1.2.3:{port}/x",
        "http://[::1]:{port}/x",
        "http://[::ffff:127.0.0.1]:{port}/x",
        "http://localhost:{port}/x",
        "http://127.0.0.1.:{port}/x",
        "http://good.example:{port}/x",
        "//127.0.0.1:{port}/x",
    ],
)
@pytest.mark.parametrize("door", ["a result", "a ticket", "a redirect"])
async def test_a_neighbour_of_the_providers_own_origin_stays_shut(address: str, door: str, canaries: Canaries) -> None:
    base_url = f"http://127.0.0.1:{canaries.port}"
    target = address.replace("{port}", str(canaries.port)).replace("{other}", str(canaries.port ^ 1))
    if door == "a redirect" and target.startswith("//"):
        target = f"https:{target}"
    wire = sending(302, target)
    client = provider(wire, Names(), base_url)
    doors: dict[str, Callable[[], Awaitable[object]]] = {
        "a result": lambda: client.download(target),
        "a ticket": lambda: client.put(target, {}, PICTURE),
        "a redirect": lambda: client.download("http://good.example/x.png"),
    }
    with pytest.raises(FetchFailed):
        await doors[door]()
    await client.close()
    assert set(wire.asked) == ({PUBLIC} if door == "a redirect" else set())
    assert await canaries.strangers() == 0


async def test_the_providers_own_origin_cannot_send_further_inside(canaries: Canaries) -> None:
    async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        target = f"http://127.0.0.1:{canaries.port}/x".encode()
        writer.write(
            b"HTTP/1.1 302 Found\r\nConnection: close\r\nContent-Length: 0\r\nLocation: " + target + b"\r\n\r\n"
        )
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(send, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    wire = Wire()
    with pytest.raises(FetchFailed):
        await provider(wire, Names(), f"http://127.0.0.1:{port}").download(f"http://127.0.0.1:{port}/x.png")
    server.close()
    await server.wait_closed()
    assert len(wire.asked) == 3
    assert await canaries.strangers() == 0


async def test_the_address_box_trusts_no_provider(canaries: Canaries) -> None:
    for address in ("http://127.0.0.1:{port}/x", "http://127.0.0.1/x", "http:///x", ""):
        await see_refused("the box", address, canaries)
    assert await canaries.strangers() == 0
