"""Signatures of webhooks: the published example comes out, and every change is seen."""

from __future__ import annotations

import pytest

from exchange.infra.webhook_signature import new_secret, signature, why_not_genuine

# Standard Webhooks 1.0, test vector of its reference libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NAME, TIME_S, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}'
SIGNED = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
HEADERS = {"webhook-id": NAME, "webhook-timestamp": str(TIME_S), "webhook-signature": SIGNED}


def test_the_published_example_comes_out() -> None:
    assert signature(SECRET, NAME, TIME_S, BODY) == SIGNED
    assert not why_not_genuine(SECRET, HEADERS, BODY, TIME_S)


def test_names_of_headers_may_come_in_any_case_and_beside_other_signatures() -> None:
    headers = {name.title(): value for name, value in HEADERS.items()}
    headers["Webhook-Signature"] = f"v1,AAAA v2,xyz {SIGNED}"
    assert not why_not_genuine(SECRET, headers, BODY, TIME_S + 299)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"webhook-id": "msg_other"}, "signature is not"),
        ({"webhook-timestamp": str(TIME_S + 1)}, "signature is not"),
        ({"webhook-timestamp": "yesterday"}, "must be seconds"),
        ({"webhook-timestamp": "9" * 13}, "must be seconds"),
        ({"webhook-timestamp": str(TIME_S - 301)}, "300 s away"),
        ({"webhook-signature": "v1,\u00e9"}, "signature is not"),
        ({"webhook-signature": ""}, "webhook-signature is missing"),
        ({"webhook-id": ""}, "webhook-id is missing"),
    ],
)
def test_what_was_changed_is_seen(change: dict[str, str], why: str) -> None:
    assert why in why_not_genuine(SECRET, HEADERS | change, BODY, TIME_S)


def test_another_body_or_secret_is_seen() -> None:
    assert why_not_genuine(SECRET, HEADERS, BODY + b" ", TIME_S)
    assert why_not_genuine(new_secret(), HEADERS, BODY, TIME_S)


@pytest.mark.parametrize("secret", ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_not base64", "whsec_abc"])
def test_a_secret_that_is_none_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_"):
        signature(secret, NAME, TIME_S, BODY)
