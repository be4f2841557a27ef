-- copy: jobs whole, with all they left, in the order of arrival (C7, C11).
--
-- In      the turn, or the id, after which to go on; how many; the turns a page spans
-- Out     rows; what jobs left in the order of their turns
-- Cost    one index step a row: seven walks a page, whatever the number of jobs
-- Beware  a page is cut where it grows heavy: rows are read one at a time

-- name: jobs
select job.*, body.*, policy.bytes as policy_bytes
from job join body using (turn) join policy on policy.id = body.policy
where job.turn > ? order by job.turn limit ?;

-- name: runs
select turn, fence, worker, started_at, ended_at, outcome, error from attempt
where turn between ? and ? order by turn, fence;

-- name: lines
select turn, n, at, fence, level, text from log where turn between ? and ? order by turn, n;

-- name: steps
select turn, name, at, value from step where turn between ? and ? order by turn, rowid;

-- name: mail
select turn, name, key, at, urgent, value from mail where turn between ? and ? order by turn, rowid;

-- name: awaited
select turn, name, for_all from awaited where turn between ? and ? order by turn, name;

-- name: files
select turn, file, fence, type, bytes, sha256, expires_at from artifact
where turn between ? and ? order by turn, file;

-- name: aliases
select id, job, fingerprint, purge_at from alias where id > ? order by id limit ?;
