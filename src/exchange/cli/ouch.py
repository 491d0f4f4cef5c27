"""`exchange ouch …`: a small OUCH client to try the gateway with: enter, cancel, watch, and read bytes."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from cyclopts import App, Parameter

from exchange.cli.failures import InputError, RefusedError, UnreachableError, UsageError
from exchange.cli.options import Options, read_addresses, read_json
from exchange.cli.output import print_json
from exchange.domain.units import UnitError, format_price, parse_price
from exchange.wire import ouch, soupbintcp
from exchange.wire import ouch_messages as m
from exchange.wire.ouch_codes import RejectReason
from exchange.wire.records import ProtocolError

app = App(name="ouch", help="Try the OUCH gateway: enter, cancel, watch, and read bytes.")

ANSWER_S = 20.0
"""A server that is silent for longer, heartbeats included, is gone."""
_REFUSALS = {
    b"A": "user or password is wrong",
    b"S": "the session is not available, or the user is logged in",
}
_SIDES = {"buy": "B", "sell": "S"}
_TIMES_IN_FORCE = {"day": "0", "ioc": "3"}


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Login:
    """Who logs in, and where."""

    at: Annotated[str, Parameter(name="--to")] = ""
    "Address of the OUCH gateway, such as 127.0.0.1:8011; default: the running exchange's."
    user: str = ""
    "OUCH user; default: that of keys.json, by name with --as."
    password: str = ""
    "Its password."


DEFAULT = Options()
NOBODY = Login()


@app.command
def enter(
    side: Literal["buy", "sell"],
    symbol: str,
    quantity: int,
    price: str = "",
    *,
    tif: Literal["day", "ioc"] = "day",
    cl_ord_id: str = "",
    number: int = 0,
    login: Login = NOBODY,
    options: Options = DEFAULT,
) -> int:
    """Enter an order and show what comes of it within a second: `exchange ouch enter buy AAPL 100 189.20`.

    Parameters
    ----------
    side
        buy or sell.
    symbol
        What to trade.
    quantity
        How many shares.
    price
        Limit price; without one the order takes what the market gives.
    tif
        day, or ioc to take what there is and no more.
    cl_ord_id
        Your own name for it, up to 14 characters.
    number
        User reference number; default: the next usable one.
    """
    try:
        limit = parse_price(price) if price else ouch.MARKET_PRICE
    except UnitError as error:
        raise UsageError(f"price: {error}") from error
    with _connect(login, options) as client:
        message = m.EnterOrder(
            user_ref_num=number or client.next_number(),
            side=_SIDES[side],
            quantity=quantity,
            symbol=symbol.upper(),
            price=limit,
            time_in_force=_TIMES_IN_FORCE[tif if price else "ioc"],
            cl_ord_id=cl_ord_id,
        )
        client.send(message)
        return _show_answers(client, options)


@app.command
def cancel(number: int, quantity: int = 0, *, login: Login = NOBODY, options: Options = DEFAULT) -> int:
    """Cancel an order, or make it smaller: `exchange ouch cancel 1`, `exchange ouch cancel 1 40`.

    Parameters
    ----------
    number
        Its user reference number.
    quantity
        Its new whole size, executed part included.
    """
    with _connect(login, options) as client:
        client.send(m.CancelOrder(user_ref_num=number, quantity=quantity))
        return _show_answers(client, options)


@app.command
def watch(
    *,
    sequence: Annotated[int, Parameter(name="--from")] = 1,
    once: bool = False,
    login: Login = NOBODY,
    options: Options = DEFAULT,
) -> None:
    """Show a session's messages, from the first of the day on, until Ctrl-C: `exchange ouch watch --from 20`.

    Parameters
    ----------
    sequence
        Sequence of the first message wanted; 0 for only new ones.
    once
        End when all is shown.
    """
    with _connect(login, options, sequence) as client:
        for number, message in client.messages(stop_at_silence=once):
            _show(number, message, options.json)


@app.command
def decode(data: str, *, options: Options = DEFAULT) -> None:
    """Read SoupBinTCP packets in hexadecimal: `exchange ouch decode '00 01 48'`.

    Parameters
    ----------
    data
        The bytes, blanks between them or not.
    """
    try:
        packets, consumed = soupbintcp.split(raw := bytes.fromhex(data))
        for packet in packets:
            _show_packet(packet, options.json)
    except ProtocolError as error:
        raise InputError(f"this is no SoupBinTCP with OUCH 5.0: {error}") from error
    except ValueError as error:
        raise UsageError(f"the bytes must be hexadecimal such as '00 01 48': {error}") from error
    if consumed < len(raw):
        print(f"{len(raw) - consumed} bytes are left: no whole packet")


class OuchClient:
    """A connection that is logged in."""

    def __init__(self, connection: socket.socket, accepted: soupbintcp.LoginAccepted, rest: bytes) -> None:
        self.session = accepted.session
        self._sequence = accepted.sequence
        self._connection = connection
        self._rest = rest

    def __enter__(self) -> OuchClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def send(self, message: m.Inbound) -> None:
        """Send a message."""
        try:
            data = ouch.encode(message)
        except ValueError as error:
            raise UsageError(f"{error}") from error
        self._connection.sendall(soupbintcp.packet(soupbintcp.UNSEQUENCED, data))

    def next_number(self) -> int:
        """Ask for the next usable user reference number."""
        self.send(m.AccountQuery())
        for _, message in self.messages():
            if isinstance(message, m.AccountQueryResponse):
                return message.next_user_ref_num
        raise RefusedError("the session ended before it said the next number")

    def messages(self, *, stop_at_silence: bool = False) -> Iterator[tuple[int, m.Outbound]]:
        """Give the sequenced messages as they come; with stop_at_silence until none has come for a second."""
        quiet = False
        for kind, payload in _packets(self._connection, self._rest, self._keep):
            if kind == soupbintcp.SEQUENCED:
                quiet = False
                self._sequence += 1
                yield self._sequence - 1, ouch.decode_outbound(payload)
            elif kind == soupbintcp.SERVER_HEARTBEAT:
                if stop_at_silence and quiet:
                    return
                quiet = True
                self._connection.sendall(soupbintcp.packet(soupbintcp.CLIENT_HEARTBEAT))
            elif kind == soupbintcp.END_OF_SESSION:
                return
            elif kind == soupbintcp.DEBUG:
                raise RefusedError(f"the gateway ends the session: {payload.decode('ascii', 'replace')}")

    def _keep(self, rest: bytes) -> None:
        self._rest = rest


def _connect(login: Login, options: Options, sequence: int = 0) -> OuchClient:
    host, _, port = (address := _address(login, options)).rpartition(":")
    user, password = _credentials(login, options)
    try:
        connection = socket.create_connection((host, int(port)), timeout=ANSWER_S)
        connection.sendall(
            soupbintcp.login_request(soupbintcp.LoginRequest(user, password, sequence=sequence))
        )
        rest = b""

        def keep(data: bytes) -> None:
            nonlocal rest
            rest = data

        for kind, payload in _packets(connection, b"", keep):
            if kind == soupbintcp.LOGIN_ACCEPTED:
                return OuchClient(connection, soupbintcp.read_login_accepted(payload), rest)
            connection.close()
            raise RefusedError(f"the login of {user} was refused: {_REFUSALS.get(payload, payload)}")
        raise UnreachableError(f"the gateway at {address} closed before it answered the login")
    except (OSError, ValueError) as error:
        raise UnreachableError(
            f"cannot reach the OUCH gateway at {address}: {error}; is it enabled in [engine.ouch]?"
        ) from error


def _packets(
    connection: socket.socket, data: bytes, keep: Callable[[bytes], None]
) -> Iterator[soupbintcp.Packet]:
    """Give packets as they come. keep: told what is behind the packet that is given."""
    while True:
        while len(data) > 1 and len(data) >= (end := 2 + int.from_bytes(data[:2])):
            (packet,), data = soupbintcp.split(data[:end])[0], data[end:]
            keep(data)
            yield packet
        try:
            more = connection.recv(65_536)
        except TimeoutError as error:
            raise UnreachableError(f"the gateway has been silent for {ANSWER_S:g} s") from error
        if not more:
            return
        data += more


def _address(login: Login, options: Options) -> str:
    if login.at:
        return login.at
    if options.port_base is None:
        running = read_addresses(options.folder())
        if running.get("ouch"):
            return str(running["ouch"])
    address = options.load().ouch_address()
    return f"{address.host}:{address.port}"


def _credentials(login: Login, options: Options) -> tuple[str, str]:
    if login.user and login.password:
        return login.user.upper(), login.password
    file = options.key_file()
    participants = read_json(file).get("participants", {})
    name = options.as_ or next(iter(participants), "")
    member: dict[str, Any] = participants.get(name, {})
    if not member.get("ouch_user"):
        raise UsageError(
            f"{file} has no OUCH user of {name or 'a participant'!r}; give --user and --password, or make one: "
            "`exchange sessions add`"
        )
    return member["ouch_user"], member["ouch_password"]


def _show_answers(client: OuchClient, options: Options) -> int:
    refused = False
    for number, message in client.messages(stop_at_silence=True):
        refused = refused or isinstance(message, m.Rejected)
        _show(number, message, options.json)
    return 1 if refused else 0


def _show(sequence: int, message: m.Inbound | m.Outbound, as_json: bool) -> None:
    kind = type(message).__name__
    fields = msgspec.to_builtins(message)
    if as_json:
        fields["appendage"] = [[tag, value.hex()] for tag, value in getattr(message, "appendage", ())]
        print_json({"sequence": sequence, "message": kind, **fields})
        return
    print(f"{sequence:>6}  {kind:<12}  {_in_words(message, fields)}", flush=True)


def _in_words(message: m.Inbound | m.Outbound, fields: dict[str, Any]) -> str:
    if isinstance(message, m.Rejected):
        fields["reason"] = _reason(message.reason)
    if "price" in fields:
        fields["price"] = "market" if fields["price"] == ouch.MARKET_PRICE else format_price(fields["price"])
    if getattr(message, "appendage", ()):
        fields["appendage"] = " ".join(f"{tag}={value.hex()}" for tag, value in message.appendage)  # type: ignore[union-attr]
    return " ".join(
        f"{name}={value}"
        for name, value in fields.items()
        if value not in ("", [], ()) and name != "timestamp"
    )


def _reason(code: int) -> str:
    known = code in RejectReason._value2member_map_
    return RejectReason(code).name.lower() if known else f"{code:#06x}"


def _show_packet(packet: soupbintcp.Packet, as_json: bool) -> None:
    if packet.kind == soupbintcp.SEQUENCED:
        _show(0, ouch.decode_outbound(packet.payload), as_json)
    elif packet.kind == soupbintcp.UNSEQUENCED:
        _show(0, ouch.decode_inbound(packet.payload), as_json)
    else:
        print(f"{packet.kind.decode('ascii', 'replace')}  {packet.payload.decode('ascii', 'replace')}")
