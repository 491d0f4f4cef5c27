"""`exchange webhooks …`: have executions, trades or status posted to an address, and see what was not taken."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from exchange.cli.connection import Connection, in_path
from exchange.cli.options import Options
from exchange.cli.output import print_facts, print_table, show

app = App(name="webhooks", help="Have what happens posted to an address; list, stop and repair deliveries.")
DEFAULT = Options()
PATH = "/api/v1/webhooks"
_COLUMNS = (
    ">id", ">participant", "channel", "symbols", "state", ">sent seq", ">delivered", ">dead", "url", "problem",
)  # fmt: skip
_DEAD_COLUMNS = (">first seq", ">last seq", ">tries", "at", "problem")


@app.default
@app.command(name="list")
def list_webhooks(*, options: Options = DEFAULT) -> None:
    """List webhooks and how each goes: `exchange webhooks list`."""
    answer = _reporter(options).get(PATH)
    show(answer, options.json, _print_webhooks)


@app.command(name="add")
def add_webhook(
    url: str,
    *,
    channel: Literal["drop_copy", "trades", "status"] = "drop_copy",
    symbol: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    from_seq: int | None = None,
    options: Options = DEFAULT,
) -> None:
    """Make a webhook; its secret is shown this once: `exchange webhooks add http://127.0.0.1:9000/hook --as alice`.

    Parameters
    ----------
    url
        Where to post to; its host must be listed in [reporter.webhooks] hosts.
    channel
        drop_copy: what became of the participant's orders; trades, status: as on the stream.
    symbol
        For trades and status: only this one, may be given several times.
    from_seq
        The first sequence wanted; left out, only what is new.
    """
    body: dict[str, Any] = {"url": url, "channel": channel}
    if symbol:
        body["symbols"] = [each.upper() for each in symbol]
    if from_seq is not None:
        body["from_seq"] = from_seq
    answer = _reporter(options).post(PATH, body)
    show(answer, options.json, lambda facts: print_facts(facts.items()))
    if not options.json:
        print("The secret is shown this once; the receiver checks signatures with it.")


@app.command(name="remove")
def remove_webhook(webhook: str, *, options: Options = DEFAULT) -> None:
    """Remove a webhook and its dead letters: `exchange webhooks remove 1 --as alice`.

    Parameters
    ----------
    webhook
        Its number.
    """
    _show_one(_reporter(options).delete(f"{PATH}/{in_path(webhook)}"), options)


@app.command(name="stop")
def stop_webhook(webhook: str, *, options: Options = DEFAULT) -> None:
    """Deliver nothing until it is started: `exchange webhooks stop 1`.

    Parameters
    ----------
    webhook
        Its number.
    """
    _show_one(_reporter(options).post(f"{PATH}/{in_path(webhook)}/stop"), options)


@app.command(name="start")
def start_webhook(webhook: str, *, options: Options = DEFAULT) -> None:
    """Go on where a stopped webhook ended; nothing was lost: `exchange webhooks start 1`.

    Parameters
    ----------
    webhook
        Its number.
    """
    _show_one(_reporter(options).post(f"{PATH}/{in_path(webhook)}/start"), options)


@app.command(name="dead")
def dead_letters(webhook: str, *, redeliver: bool = False, options: Options = DEFAULT) -> None:
    """List what nobody took, or send it again: `exchange webhooks dead 1 --redeliver`.

    Parameters
    ----------
    webhook
        Its number.
    redeliver
        Send again, oldest first, until one is not taken.
    """
    place = f"{PATH}/{in_path(webhook)}/dead-letters"
    if redeliver:
        _show_one(_reporter(options).post(f"{place}/redeliver"), options)
        return
    answer = _reporter(options).get(place)
    show(answer, options.json, _print_dead)


@app.command(name="listen")
def listen(secret: str, *, port: int = 9000, count: int = 0, options: Options = DEFAULT) -> None:
    """Receive on this machine, check signatures and print: `exchange webhooks listen whsec_… --port 9000`.

    Parameters
    ----------
    secret
        As `exchange webhooks add` showed it.
    port
        Of 127.0.0.1, to listen on.
    count
        End after so many deliveries; 0: with Ctrl-C.
    """
    from exchange.cli.webhook_receiver import receive

    receive(secret, port, count, options.json)


def _reporter(options: Options) -> Connection:
    return options.trader("reporter")


def _show_one(answer: dict[str, Any], options: Options) -> None:
    show(answer, options.json, lambda facts: print_facts(facts.items()))


def _print_webhooks(answer: dict[str, Any]) -> None:
    rows = (
        (
            each["id"], each["participant"], each["channel"], " ".join(each["symbols"]) or "all", each["state"],
            each["sent_seq"], each["delivered"], each["dead_letters"], each["url"], each["problem"],
        )
        for each in answer["items"]
    )  # fmt: skip
    print_table(_COLUMNS, rows, "no webhooks; `exchange webhooks add URL` makes one")


def _print_dead(answer: dict[str, Any]) -> None:
    rows = (
        (each["first_seq"], each["last_seq"], each["tries"], each["at"], each["problem"])
        for each in answer["items"]
    )
    print_table(_DEAD_COLUMNS, rows, "no dead letters")
