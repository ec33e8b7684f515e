"""The sidecar: the same check on a schedule, its last verdict published over HTTP.

    loop → Verdict → history.advance(Snapshot, Verdict) → Snapshot → metrics, page, verdict, history

`history` is pure, `loop` decides when to measure, `web` answers requests from the last snapshot, `server` owns the
sockets. A snapshot is never changed, so that a reader may keep it as long as it needs.
"""
