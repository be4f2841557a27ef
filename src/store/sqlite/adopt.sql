-- adopt: stores jobs as they stood in another store, and says what those that are here already are (C7, C8, C10).
--
-- In      one job at a time; `?` in the order of the columns
-- Out     of an id that is here: whose it is, and how far that job has come
-- Cost    four index steps a job, and one for each thing it left
-- Beware  a job takes the next turn of this store: the order of calls is the order of arrival

-- name: there
select job.queue, job.rev, job.fence, body.job, body.tenant, body.created_at
from job join body using (turn) where job.id = ?;

-- name: holder
select 1 from body where tenant = ? and job = ? and unique_value = ? and unique_held = 1;

-- name: job
insert into job (id, queue, priority, state, run_at, rev, fence, worker, failures, crashes, losses, cancel_asked,
  started_at, ended_at, purge_at, wakes_at)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: body
insert into body (turn, job, tenant, created_at, expires_at, deadline_at, unique_value, unique_until, unique_held,
  fingerprint, tags, subject, parent, called, batch, item, limits, waiting_for, reason, with_errors, input, policy, result, error, progress)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: tag
insert or ignore into tag (tag, turn) values (?, ?);

-- name: run
insert or ignore into attempt (turn, fence, worker, started_at, ended_at, outcome, error)
values (?, ?, ?, ?, ?, ?, ?);

-- name: line
insert into log (turn, n, at, fence, level, text) values (?, ?, ?, ?, ?, ?);

-- name: step
insert or ignore into step (turn, name, at, value) values (?, ?, ?, ?);

-- name: carries
-- Who runs it first looks into its mailbox.
update job set receipt = 0 where turn = ? and receipt is null;

-- name: letter
insert or ignore into mail (turn, name, key, at, urgent, value) values (?, ?, ?, ?, ?, ?);

-- name: await
insert or ignore into awaited (turn, name, for_all) values (?, ?, ?);

-- name: file
insert or ignore into artifact (turn, file, fence, type, bytes, sha256, expires_at)
values (?, ?, ?, ?, ?, ?, ?);

-- name: drops
insert or replace into drops (turn, what, drop_at) values (?, ?, ?);

-- name: ended
insert into ended (purge_at, ended_at, turns) values (?, ?, ?);

-- name: alias
insert or ignore into alias (id, job, fingerprint, purge_at) values (?, ?, ?, ?);
