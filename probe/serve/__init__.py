"""The sidecar: the same check on a schedule, its last verdict published over HTTP.

    loop → Verdict → state.advance(Snapshot, Verdict) → Snapshot → metrics, page, verdict, history

`state` is pure, `loop` decides when to measure, `web` answers requests from the last snapshot, `server` is the sockets.
Nobody changes a snapshot: a reader holds the one it took for as long as it likes.
"""
