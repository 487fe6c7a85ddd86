"""How a call can end without an answer."""

from __future__ import annotations


class TeacherUnusable(Exception):
    """No call can succeed until somebody mends something; `hint` says what."""

    def __init__(self, what: str, where: str = "", hint: str = "") -> None:
        super().__init__(f"{what}; {hint}" if hint else what)
        self.what, self.where, self.hint = what, where, hint


class NoAnswer(Exception):
    """This question gets no usable answer; `reason` is the drop's name."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason, self.detail = reason, detail


class Unanswered(Exception):
    """Every attempt failed in passing: the record waits for the next run."""


HINTS = {
    "http_401": "set {key} to a key that {url} accepts",
    "invalid_api_key": "set {key} to a key that {url} accepts",
    "http_403": "the key in {key} may not use {model} at {url}",
    "http_404": "check base_url ({url}) and model ({model}) in the recipe",
    "model_not_found": "{url} has no model {model}; set teacher.model",
    "http_402": "top up the account behind {key}, or name another endpoint",
    "insufficient_quota": "top up the account behind {key}, or name another endpoint",
    "billing_not_active": "top up the account behind {key}, or name another endpoint",
    "no_batch_api": "{url} has no Batch API: take `batch` out of the endpoint in the recipe",
    "batch_refused": "{url} does not take batches for {model} as they are: see what it said, or take `batch` out of "
    "the endpoint in the recipe",
    "token_limit_exceeded": "a batch is more than the account may have waiting: set batch.requests of the endpoint "
    "lower, or wait for the account's other batches",
    "no_sender": "set senders of the endpoint to 0, and the run sends its requests itself",
    "redirected": "set base_url in the recipe to where {url} has moved",
    "bad_certificate": "base_url ({url}) must be the name in the certificate, or SSL_CERT_FILE a file with the "
    "authority that signed it",
    "refuses_all": "mend what it says in the recipe; model is {model}, the key that of {key}",
    "no_such_api": "{url} answers, but not as an OpenAI-compatible API: check base_url, which ends in /v1 as a rule",
    "unreachable": "is {url} up? set teacher.base_url or OPENAI_BASE_URL",
}
