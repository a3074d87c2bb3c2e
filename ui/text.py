"""What the page composes of numbers and messages; the words stand in the catalogue."""

from __future__ import annotations

from core.messages import Message, message, say
from core.result import Reason

VIEWS = ("side", "slider", "single")
"""The views of the stage."""
WORKING = {
    "sent": "working-sent",
    "created": "working-created",
    "processing": "working-processing",
    "disk full": "working-disk-full",
}
"""Messages for what a provider says of a task, or the app of its result."""
MISSING = {Reason.NSFW: "missing-withheld", Reason.FAILED: "missing-failed"}
"""What stands in the place of an image that did not come."""
SPOKEN = {"queued": "spoken-queued", "loading": "spoken-loading", "running": "spoken-running"}
"""What a screen reader says of a run that is in a state."""
QUARTERS = ("spoken-running", "spoken-quarter", "spoken-half", "spoken-three-quarters", "spoken-finishing")
"""What a screen reader says at each quarter of a run."""


def stage_words() -> dict[str, object]:
    """Return the words of `assets/stage.js`, by the names that it knows them by."""
    return {
        "reference": say("ui-reference"),
        "result": say("ui-result"),
        "resultHere": say("stage-result-here"),
        "preview": say("stage-preview"),
        "compare": say("stage-compare"),
        "welcome": say("stage-welcome"),
        "welcomeHint": say("stage-welcome-hint"),
        "useAsReference": say("stage-use-as-reference"),
        "reuseSettings": say("stage-restore-settings"),
        "download": say("stage-download"),
        "fullView": say("stage-full-view"),
        "previous": say("stage-previous"),
        "next": say("stage-next"),
        "close": say("ui-close"),
        "session": say("stage-recent"),
        "progress": say("stage-progress"),
        "elapsed": say("stage-elapsed", elapsed="{elapsed}"),
        "elapsedOf": say("stage-elapsed-of", elapsed="{elapsed}", expected="{expected}"),
        "views": {view: say(f"view-{view}") for view in VIEWS},
    }


def help_html() -> str:
    """Return the list of the help dialog."""
    parts = ("strength", "guidance", "seed", "run", "keys")
    return "<ul>" + "".join(f"<li>{say(f'ui-help-{part}')}</li>" for part in parts) + "</ul>"


def api_html() -> str:
    """Return the paragraphs above the API's examples."""
    return "".join(f"<p>{say(f'ui-api-{part}')}</p>" for part in ("use", "keys"))


def steps(run: int, of: int) -> str:
    """Return how many steps really run, such as "12 of 20 steps"."""
    return say("figure-steps", run=run, total=of)


def _duration(value: float) -> Message:
    if value < 10:
        return message("wait-tenths", amount=round(value, 1))
    if value < 120:
        return message("wait-seconds", amount=round(value))
    return message("wait-minutes", amount=round(value / 60))


def seconds(value: float) -> str:
    """Return a duration for people: "0.8 s", "12 s", "3 min"."""
    return str(_duration(value))


def price(dollars: float, images: int, live: bool) -> str:
    """Return what a run costs; a price that the provider's list did not confirm is marked."""
    if not dollars:
        return say("price-free")
    return say("price-live" if live else "price-documented", dollars=dollars * images)


def spent(dollars: float) -> str:
    """Return what the runs of this tab have cost."""
    return say("figure-spent", dollars=dollars)


def cost(dollars: float | None) -> str:
    """Return what a finished run cost, nothing where it was free."""
    if dollars is None:
        return f" · {say('cost-unknown')}"
    return f" · {say('price-live', dollars=dollars)}" if dollars else ""


def working(backend: Message | None, status: str, done: int, total: int) -> str:
    """Return where a provider is with a run: what its own word means, and how many of several tasks are done."""
    backend = backend or message("working-somewhere")
    words = say(WORKING[status], backend=backend) if status in WORKING else status
    return words if total == 1 else say("working-several", status=words, done=done, total=total)


def balance(dollars: float) -> str:
    """Return what a key's account has left."""
    return say("key-accepted", dollars=dollars)


def size(width: int, height: int) -> str:
    """Return a picture's size, such as "512×768"."""
    return say("figure-size", width=width, height=height)


def worked_at(size: str, working: str) -> str:
    """Return the output size where the backend works smaller than that."""
    return say("figure-worked-at", size=size, working=working)


def clamped(backend: Message, changed: list[str]) -> str:
    """Return what a switch of backend changed."""
    return say("backend-adjusted", backend=backend, changed=", ".join(changed))


def adjusted(label: Message, before: str, after: str) -> str:
    """Return how a switch of backend changed a parameter."""
    return say("param-adjusted", label=label, before=before, after=after)


def facts(seed: int) -> str:
    """Return what is said of a result before its time, steps and cost."""
    return say("figure-seed", seed=str(seed))


def caption(number: int, count: int, seed: int) -> str:
    """Return what stands above one of a run's results."""
    return say("ui-result") if count == 1 else say("figure-place", number=number, seed=str(seed))


def result_alt(number: int, count: int, seed: int, strength: float) -> str:
    """Return a result's text for those who do not see it."""
    return say("result-alt", number=number, count=count, seed=str(seed), strength=f"{strength:g}")


def reference_alt(width: int, height: int) -> str:
    """Return the reference's text for those who do not see it."""
    return say("reference-alt", width=width, height=height)


def charge(charged: bool | None) -> str:
    """Return whether a failed run was charged."""
    return say({True: "charge-taken", False: "charge-none", None: "charge-unknown"}[charged])


def position(number: int) -> str:
    """Return a place in the queue."""
    return say("queue-next") if number == 1 else say("queue-position", number=number)


def waiting(count: int) -> str:
    """Return how many more runs of this page wait."""
    return say("queue-more", count=count) if count else ""


def loading(stage: Message, done: int, total: int) -> str:
    """Return what is being loaded."""
    return say("progress-loading", stage=stage, done=done, total=total)


def progress(step: int, total: int, left: float | None) -> str:
    """Return where a run is."""
    if step >= total:
        return say("progress-finishing")
    if left is None:
        return say("progress-step", step=step, total=total)
    return say("progress-step-left", step=step, total=total, left=_duration(left))


def spoken_quarter(quarter: int) -> str:
    """Return what is said at each quarter of a run."""
    return say(QUARTERS[quarter])
