package import SQL

extension Schema {
    /// The tables of workflows. The index `workflow_one_active` makes two active workflows on one resource impossible.
    /// A workflow that is started while another is active is `queued`, outside that index, in the line of its resource;
    /// `place` orders the line. Ordinary workflows have places from 1. A delete that supersedes the others has place 0,
    /// as does each queued row of release 0.1.
    package static let durable = Schema(
        service: "durable",
        [
            Migration(
                1, "workflows",
                """
                CREATE TABLE workflow (
                  id TEXT PRIMARY KEY, kind TEXT NOT NULL, version INTEGER NOT NULL, fingerprint TEXT NOT NULL,
                  resource TEXT NOT NULL, project_id TEXT, request_id TEXT, principal TEXT, trace TEXT,
                  input TEXT NOT NULL, state TEXT NOT NULL,
                  status TEXT NOT NULL CHECK (status IN ('queued', 'ready', 'running', 'waiting', 'succeeded', 'unwound',
                    'stuck', 'blocked', 'abandoned')),
                  direction TEXT NOT NULL CHECK (direction IN ('do', 'undo')),
                  step TEXT NOT NULL, attempt INTEGER NOT NULL, interrupted INTEGER NOT NULL, progress INTEGER NOT NULL,
                  epoch INTEGER NOT NULL, sequence INTEGER NOT NULL, owner TEXT, lease_until INTEGER,
                  run_after INTEGER NOT NULL, wait_until INTEGER, cancel_requested INTEGER NOT NULL,
                  failure TEXT, reason TEXT, abandoned_by TEXT,
                  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, finished_at INTEGER,
                  CHECK (status NOT IN ('stuck', 'blocked', 'abandoned') OR reason IS NOT NULL),
                  CHECK (status <> 'abandoned' OR abandoned_by IS NOT NULL),
                  CHECK ((status IN ('succeeded', 'unwound', 'abandoned')) = (finished_at IS NOT NULL)),
                  CHECK ((status = 'running') = (owner IS NOT NULL AND lease_until IS NOT NULL))
                );
                CREATE UNIQUE INDEX workflow_one_active ON workflow (resource)
                  WHERE finished_at IS NULL AND status <> 'queued';
                CREATE UNIQUE INDEX workflow_one_queued ON workflow (resource) WHERE status = 'queued';
                CREATE INDEX workflow_history ON workflow (resource, created_at);
                CREATE INDEX workflow_claim ON workflow (status, run_after) WHERE finished_at IS NULL;
                CREATE INDEX workflow_finished ON workflow (finished_at) WHERE finished_at IS NOT NULL;
                CREATE TABLE workflow_event (
                  workflow_id TEXT NOT NULL, sequence INTEGER NOT NULL, epoch INTEGER NOT NULL, step TEXT NOT NULL,
                  direction TEXT NOT NULL, kind TEXT NOT NULL, attempt INTEGER NOT NULL, data TEXT, at INTEGER NOT NULL,
                  PRIMARY KEY (workflow_id, sequence)
                );
                CREATE TABLE workflow_signal (
                  workflow_id TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL, payload TEXT, at INTEGER NOT NULL,
                  PRIMARY KEY (workflow_id, number)
                );
                """),
            Migration(
                2, "lines",
                """
                ALTER TABLE workflow ADD COLUMN place INTEGER NOT NULL DEFAULT 0;
                DROP INDEX workflow_one_queued;
                CREATE UNIQUE INDEX workflow_line ON workflow (resource, place) WHERE status = 'queued';
                """),
            Migration(3, "lists of all workflows", "CREATE INDEX workflow_created ON workflow (created_at, id);"),
        ])
}
