-- exchange: settles M jobs and claims N in one transaction, once per number (C2-C5).
--
-- In      a worker and its number; one settlement at a time; a queue and how many of it
-- Out     an answer per settlement; the claimed rows, and the same rows when the number is repeated
-- Cost    index steps for M + N, whatever the backlog
-- Beware  `?` binds by place: the order of the columns here is the order of the arguments there

-- name: worker
select newest, second, gone_at from worker where id = ?;

-- name: number
update worker set newest = ?, second = ? where id = ?;

-- name: held
select job.turn, job.queue, job.receipt, body.unique_value is not null as is_unique,
  job.failures + job.crashes + job.losses as tried, body.batch, body.limits
from job join body using (turn) where job.id = ?;

-- name: settle
-- The one exit from running. Changes nothing unless the fence is current.
update job
set state = ?, run_at = coalesce(?, run_at), ended_at = ?, purge_at = ?, failures = failures + ?,
    crashes = crashes + ?, losses = losses + ?, rev = rev + 1
where turn = ? and id = ? and fence = ? and worker = ? and state = 2;

-- name: asked
select cancel_asked from job where turn = ? and cancel_asked = 1;

-- name: answer
-- Asked only when `settle` changed nothing: running still means held by somebody else. No row: gone.
select iif(fence <> ? or state = 2, 'stale', 'already') as answer from job where id = ?;

-- name: ending
update body set result = ?, error = ?, reason = ?, with_errors = ? where turn = ?;

-- name: waiting
update body set waiting_for = ?, error = coalesce(?, error) where turn = ?;

-- name: begun
update body set expires_at = null where turn = ? and expires_at is not null;

-- name: free
update body set unique_held = null
where turn = ? and unique_held = 1 and (? <> 4 or unique_until = 'end');

-- name: ended
insert into ended (purge_at, ended_at, turns) values (?, ?, ?);

-- name: drops
insert or replace into drops (turn, what, drop_at) values (?, ?, ?);

-- name: attempt
insert or replace into attempt (turn, fence, worker, started_at, ended_at, outcome, error)
select turn, fence, worker, started_at, :now, :outcome, :error from job
where turn = :turn and id = :id and fence = :fence and worker = :worker and state = 2;

-- name: artifact
insert or replace into artifact (turn, file, fence, type, bytes, sha256, expires_at)
values (?, ?, ?, ?, ?, ?, ?);

-- name: promote
-- Delayed jobs whose time has come, a bounded number a turn.
update job set state = iif(held is null, 1, -1), rev = rev + 1
where turn in (select turn from job where state = 0 and run_at <= ? order by run_at limit 1000)
returning queue, held;

-- name: due
-- Of those that are scheduled, and of those that sleep.
select min(due) as due from (
  select min(run_at) as due from job where state = 0
  union all select min(wakes_at) from job where wakes_at is not null
);

-- name: queues
select queue from tally where ready > 0 order by queue;

-- name: paused
-- Looked at by each claim: as a rule there is none.
select name from entry where kind = 'pause';

-- name: ready
-- Walks index job_ready and stops at the limit.
select job.turn, job.id, job.fence, job.queue, job.failures, job.crashes, job.losses, job.run_at,
  body.job, body.tenant, body.created_at, body.expires_at, body.deadline_at, body.input, body.policy,
  body.unique_value is not null, job.cancel_asked, body.subject, job.receipt is not null,
  body.parent || ' ' || body.called, body.batch, body.item, body.limits
from job join body using (turn)
where job.queue = ? and job.state = 1
order by job.priority, job.run_at, job.turn
limit ?;

-- name: claim
update job
set state = 2, fence = ?, worker = ?, receipt = ?, started_at = ?, rev = rev + 1
where turn = ?;

-- name: stopped
-- An item of a batch that is stopped, on its way to whoever will end it.
update job set cancel_asked = 1 where turn = ?;

-- name: subject
-- What a hook looks back on, as it lies here now.
select body.input, body.result, body.error from job join body using (turn) where job.id = ?;

-- name: steps
select name, at, value from step where turn = ? order by rowid;

-- name: hand
insert into receipt (worker, n, open, handed) values (?, ?, ?, ?);

-- name: again
-- Where a job lay that was erased, another may lie: the row knows in which receipt it stands.
select job.turn, job.id, job.fence, job.queue, job.failures, job.crashes, job.losses, job.run_at,
  body.job, body.tenant, body.created_at, body.expires_at, body.deadline_at, body.input, body.policy,
  body.unique_value is not null, job.cancel_asked, body.subject, job.receipt is not null,
  body.parent || ' ' || body.called, body.batch, body.item, body.limits
from receipt, json_each(receipt.handed) as given
join job on job.turn = given.value ->> 0 and job.fence = given.value ->> 1 and job.state = 2
  and job.worker = receipt.worker and job.receipt = receipt.n
join body on body.turn = job.turn
where receipt.worker = ? and receipt.n = ?
order by given.key;

-- name: close
update receipt set open = open - ? where worker = ? and n = ?;

-- name: drop
-- Receipts whose jobs are all settled, but for the last two: those may be asked for again.
delete from receipt where worker = ? and open <= 0 and n < ?;
