"""Ask the component of this container whether it is ready: exit 0 where it is, else 1 with what it said.

It reads the ports from the same environment as the component does. One component runs in a container, so the first
port that answers is its own. Standard library only, and few of its modules: it runs every few seconds.
"""

import os
import socket
import sys

TIMEOUT_S = 4.0
ANSWER_BYTES_MAX = 4_096
COMPONENTS = ("ENGINE", "REPORTER", "CLEARING")


def ports(env):
    """Return the ports at which a component may listen here, in the order engine, reporter, clearing."""
    base = int(env.get("EXCHANGE__EXCHANGE__PORT_BASE") or 8000)
    named = [int(env.get(f"EXCHANGE__{name}__PORT") or 0) for name in COMPONENTS]
    return [port or base + number for number, port in enumerate(named, 1)]


def ask(port):
    """Return the first bytes that GET /readyz answers at a port of this machine. Raise OSError."""
    with socket.create_connection(("127.0.0.1", port), TIMEOUT_S) as connection:
        connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = b""
        while len(answer) < ANSWER_BYTES_MAX and (part := connection.recv(ANSWER_BYTES_MAX)):
            answer += part
    return answer


def main(env):
    """Return the exit code."""
    tried = ports(env)
    for port in tried:
        try:
            answer = ask(port)
        except ConnectionRefusedError:
            continue
        except OSError as error:
            print(f"port {port}: {error}")
            return 1
        head, _, body = answer.partition(b"\r\n\r\n")
        is_ready = head.startswith(b"HTTP/1.1 200 ")
        print(body.decode(errors="replace") or "no answer")
        return 0 if is_ready else 1
    print(f"nothing listens on the ports {', '.join(map(str, tried))}")
    return 1


if __name__ == "__main__":
    sys.exit(main(os.environ))
