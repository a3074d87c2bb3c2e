"""How the app is: alive, ready, and in figures for whoever holds the token."""

from __future__ import annotations

import hmac
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from core.backend import Backend
from core.job import Job
from core.messages import in_full, say
from engine.engine import Engine
from storage.files.disk import DiskProbe

SECONDS = (0.5, 1, 2, 5, 10, 20, 60, 180, 600)
"""Upper bounds of the buckets for run times."""


class Figures:
    """Counts runs, for Prometheus.

    Args:
        engine: whose runs; tells each end.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.registry = CollectorRegistry()
        labels = ["backend", "state"]
        self._runs = Counter("studio_runs", "Runs that have ended.", labels, registry=self.registry)
        self._seconds = Histogram(
            "studio_run_seconds", "From click to result.", ["backend"], buckets=SECONDS, registry=self.registry
        )
        self._cost = Counter("studio_cost_dollars", "What runs cost, where known.", ["backend"], registry=self.registry)
        self.registry.register(self)
        engine.on_end.append(self._note)

    def collect(self) -> Iterator[Metric]:
        """Yield how many runs go on and wait now, for each backend."""
        family = GaugeMetricFamily("studio_runs_now", "Runs that go on or wait.", labels=["backend"])
        for backend, count in self._engine.jobs.unfinished().items():
            family.add_metric([backend], count)
        yield family

    def _note(self, job: Job) -> None:
        self._runs.labels(job.backend, job.state).inc()
        if job.result is not None:
            self._seconds.labels(job.backend).observe(job.result.timings["total"])
            self._cost.labels(job.backend).inc(job.result.cost or 0.0)


def routes(engine: Engine, disk: DiskProbe, token: str | None) -> list[BaseRoute]:
    """Return `/healthz`, `/readyz` and `/metrics`.

    Args:
        engine: whose state is told.
        disk: whether the data folder can be written to.
        token: opens `/metrics`; None shuts it.
    """
    figures = Figures(engine)

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok")

    async def readyz(_: Request) -> Response:
        backends = {key: _readiness(engine.backend(key)) for key in engine.specs}
        fault = await disk.fault()
        ready = "ready" in backends.values() and fault is None
        state = {"ready": ready, "backends": backends, **({"disk": in_full(fault)} if fault else {})}
        return JSONResponse(state, status_code=200 if ready else 503)

    async def metrics(request: Request) -> Response:
        given = request.headers.get("authorization", "")
        if token is None:
            return PlainTextResponse("Not found", status_code=404)
        if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            return PlainTextResponse(
                say("metrics-token-needed"), status_code=401, headers={"WWW-Authenticate": "Bearer"}
            )
        return Response(generate_latest(figures.registry), media_type="text/plain; version=0.0.4")

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]


def _readiness(backend: Backend) -> str:
    """Return `ready`, or why a backend takes no runs and what would help."""
    reason = backend.ready()
    return "ready" if reason is None else in_full(reason)
