"""Every word on the screen, in one place. Short, plain, sentence case."""

from __future__ import annotations

from core.messages import Message
from core.result import Reason

TITLE = "SRPO Studio"

BACKEND = "Backend"
REFERENCE = "Reference"
REFERENCE_PLACEHOLDER = "Drop or paste a picture, or click"
REFERENCE_URL = "Image address"
REFERENCE_URL_PLACEHOLDER = "or an image address, then Enter"
PROMPT = "Prompt"
PROMPT_PLACEHOLDER = "What should the picture become?"
STYLES = "Styles that this model knows"
SEED = "Seed"
SEED_LOCK = "Keep this seed"
SEED_DICE = "New seed"
MORE = "More: steps, images, format, acceleration"
RUN = "Run"
RUN_KEYS = "Ctrl+Enter"
CANCEL = "Cancel"
RESULT = "Result"
STAGE = "Reference and result"
VIEW = "View"
HELP = "Help"
STUDIO_TAB = "Studio"
API = "API"
COPY = "Copy"
COPIED = "Copied"
THEME = "Light or dark"
SIGN_IN = "Sign in"
SIGN_OUT = "Sign out ({})"
NO_REFERENCE = "Add a reference picture to see what a run will do."
KEY_WANTED = "The app was restarted while the provider had this run. Paste your key above and check it to go on."
NO_WORK = "Strength 0 gives the reference back: no step runs."

STAGE_WORDS = {
    "reference": "Reference",
    "result": "Result",
    "resultHere": "The result appears here",
    "preview": "Preview of the result while it is made",
    "compare": "Compare: how much of the reference is shown",
    "welcome": "Start with a picture",
    "welcomeHint": "Add your own on the left, or take one of these with its prompt and settings.",
    "useAsReference": "Use as reference",
    "reuseSettings": "Reuse settings",
    "download": "Download",
    "fullView": "Full view",
    "previous": "Previous picture",
    "next": "Next picture",
    "close": "Close",
    "session": "Recent",
    "progress": "Progress of the run",
    "elapsed": "{elapsed} s",
    "elapsedOf": "{elapsed} s of about {expected} s",
    "views": {"side": "Side by side", "slider": "Slider", "single": "Single"},
}

HELP_HTML = """
<ul>
<li><b>Strength</b> says how far the picture may leave the reference. Low keeps, high transforms; 0 gives it back.</li>
<li><b>Guidance</b> says how closely the prompt is followed.</li>
<li>Lock the <b>seed</b> to see what one change does: the same seed and settings give the same picture.</li>
<li><b>Ctrl+Enter</b> runs. Each click on Run queues one more run.</li>
<li>In the slider, the arrow keys move the line. In the full view, they move between pictures.</li>
</ul>
"""


API_HTML = """
<p>Code that talks to AI/ML API or to WaveSpeedAI runs on this app when its base URL, key and image are changed.
The examples below carry this app's address, and read <code>photo.jpg</code> beside them.</p>
<p>Keys come from <code>python app.py keys new NAME</code> on the machine that serves this app.
Every field is described in <a href="docs" target="_blank">the reference</a>.</p>
"""


def steps(run: int, of: int) -> str:
    """Return how many steps really run, such as "12 of 20 steps"."""
    return f"{run} of {of} steps"


def seconds(value: float) -> str:
    """Return a duration for people: "0.8 s", "12 s", "3 min"."""
    if value < 10:
        return f"{value:.1f} s"
    return f"{value:.0f} s" if value < 120 else f"{value / 60:.0f} min"


def price(dollars: float, images: int, live: bool) -> str:
    """Return what a run costs; a price that the provider's list did not confirm is marked."""
    if not dollars:
        return "free"
    return f"${dollars * images:.3f}{'' if live else ' (documented price)'}"


def spent(dollars: float) -> str:
    """Return what the runs of this tab have cost."""
    return f"${dollars:.3f} spent in this session"


def cost(dollars: float | None) -> str:
    """Return what a finished run cost, nothing where it was free."""
    return " · cost not told" if dollars is None else f" · ${dollars:.3f}" if dollars else ""


def working(status: str, done: int, total: int) -> str:
    """Return where a provider is with a run: its own word, and how many of several tasks are done."""
    words = WORKING.get(status, status)
    return words if total == 1 else f"{words}, {done} of {total} done"


def balance(dollars: float) -> str:
    """Return what a key's account has left."""
    return f"Key accepted, ${dollars:.2f} left."


def size(width: int, height: int) -> str:
    """Return a picture's size, such as "512×768"."""
    return f"{width}×{height}"


def worked_at(size: str, working: str) -> str:
    """Return the output size where the backend works smaller than that."""
    return f"{size} via {working}"


def clamped(backend: str, changed: list[str]) -> str:
    """Return what a switch of backend changed."""
    return f"{backend} has other limits. Changed: {', '.join(changed)}."


def result_alt(number: int, count: int, seed: int, strength: float) -> str:
    """Return a result's text for those who do not see it."""
    return f"Result {number} of {count}, seed {seed}, strength {strength:g}"


def reference_alt(width: int, height: int) -> str:
    """Return the reference's text for those who do not see it."""
    return f"Reference picture, {size(width, height)}"


def charge(charged: bool | None) -> str:
    """Return whether a failed run was charged."""
    return {
        True: "It was charged.",
        False: "Nothing was charged.",
        None: "It is not known whether it was charged.",
    }[charged]


def position(number: int) -> str:
    """Return a place in the line."""
    return "Next in line" if number == 1 else f"Number {number} in line"


def waiting(count: int) -> str:
    """Return how many more runs of this page wait."""
    return "" if not count else f"{count} more {'run waits' if count == 1 else 'runs wait'}"


def loading(stage: Message, done: int, total: int) -> str:
    """Return what is being loaded."""
    return f"Loading the model: {stage} ({done} of {total})"


def progress(step: int, total: int, left: float | None) -> str:
    """Return where a run is."""
    if step >= total:
        return "Finishing the picture"
    tail = "" if left is None else f", about {seconds(left)} left"
    return f"Step {step} of {total}{tail}"


WORKING = {
    "sent": "Sent to the provider",
    "created": "Waiting at the provider",
    "processing": "The provider works",
    "disk full": "Done, and waiting for room on the disk",
}
KEY = "Provider key"
KEY_PLACEHOLDER = "Paste your key: it stays in this tab only"
KEY_KEPT = "A key is set for this tab. Paste another to change it."
KEY_CHECK = "Check"
MISSING = {Reason.NSFW: "Withheld", Reason.FAILED: "Failed"}
NO_KEY = "There is no key to check yet."
OWNERS_KEY_WORKS = "This app's own key works."
OWNERS_KEY_FAILS = "This app's own key does not work now. Paste a key of your own, or try again later."


SPOKEN = {"queued": "The run waits", "loading": "Loading the model", "running": "The run has begun"}
SPOKEN_DONE = "The result is here"


def spoken_quarter(quarter: int) -> str:
    """Return what is said at each quarter of a run."""
    return ("The run has begun", "A quarter is done", "Half is done", "Three quarters are done", "Finishing")[quarter]
