-- find, list, tally: jobs as they lie here (C10, C11).
--
-- In      ids, or where a walk goes on
-- Out     rows; a walk gives only what filters need, and the turn to read the rest by
-- Cost    one index step a row; a walk looks at 1 000 at most
-- Beware  each walk has an order and so a cursor of its own

-- name: find
select job.*, body.*, policy.bytes as policy_bytes
from job join body using (turn) join policy on policy.id = body.policy where job.id = ?;

-- name: read
select job.*, body.*, policy.bytes as policy_bytes
from job join body using (turn) join policy on policy.id = body.policy where job.turn = ?;

-- name: artifacts
select file, fence, type, bytes, sha256, expires_at from artifact where turn = ? order by file;

-- name: ahead
-- Along the index of what is ready, as a claim goes.
select count(*) as ahead from (
  select 1 from job as own join job as other on other.queue = own.queue and other.state = 1
    and (other.priority, other.run_at, other.turn) < (own.priority, own.run_at, own.turn)
  where own.id = ? and own.state = 1 limit ?
);

-- name: holder
select job.id from body join job using (turn)
where body.tenant = ? and body.job = ? and body.unique_value = ? and body.unique_held = 1;

-- name: all
select job.turn, job.state, job.queue, body.job, body.tenant, body.batch from job join body using (turn)
where job.turn < :a order by job.turn desc limit 1000;

-- name: tagged
select job.turn, job.state, job.queue, body.job, body.tenant, body.batch from tag join job using (turn) join body using (turn)
where tag.tag = :tag and tag.turn < :a order by tag.turn desc limit 1000;

-- name: ready
select job.turn, job.state, job.queue, body.job, body.tenant, body.batch, job.priority, job.run_at from job join body using (turn)
where job.state = 1 and (job.queue, job.priority, job.run_at, job.turn) > (:a, :b, :c, :d)
order by job.queue, job.priority, job.run_at, job.turn limit 1000;

-- name: held
select job.turn, job.state, job.queue, body.job, body.tenant, body.batch, job.held, job.priority, job.run_at
from job join body using (turn)
where job.state = -1 and (job.held, job.priority, job.run_at, job.turn) > (:a, :b, :c, :d)
order by job.held, job.priority, job.run_at, job.turn limit 1000;

-- name: isHeld
select 1 from job where state = -1 limit 1;

-- name: scheduled
select job.turn, job.state, job.queue, body.job, body.tenant, body.batch, job.run_at from job join body using (turn)
where job.state = 0 and (job.run_at, job.turn) > (:a, :b) order by job.run_at, job.turn limit 1000;

-- name: running
select job.turn, job.state, job.queue, body.job, body.tenant, body.batch
from receipt, json_each(receipt.handed) as given
join job on job.turn = given.value ->> 0 and job.fence = given.value ->> 1 and job.state = 2
  and job.worker = receipt.worker and job.receipt = receipt.n
join body on body.turn = job.turn
where job.turn > :a order by job.turn limit 1000;

-- name: waiting
select job.turn, job.state, job.queue, body.job, body.tenant, body.batch from job join body using (turn)
where job.state = 3 and job.turn > :a order by job.turn limit 1000;

-- name: failed
select job.turn, job.state, job.queue, body.job, body.tenant, body.batch, job.ended_at from job join body using (turn)
where job.state = 5 and (job.ended_at, job.turn) < (:a, :b) order by job.ended_at desc, job.turn desc limit 1000;

-- name: cancelled
select job.turn, job.state, job.queue, body.job, body.tenant, body.batch, job.ended_at from job join body using (turn)
where job.state = 6 and (job.ended_at, job.turn) < (:a, :b) order by job.ended_at desc, job.turn desc limit 1000;

-- name: attempts
-- The last thousand: runs that are not counted have no other bound.
select * from (
  select fence, worker, started_at, ended_at, outcome, error from attempt
  where turn = (select turn from job where id = ?) order by fence desc limit 1000
) order by fence;

-- name: logs
select n, at, fence, level, text from log
where turn = (select turn from job where id = ?) and n > ? order by n limit ?;

-- name: steps
select name, at, value from step where turn = (select turn from job where id = ?) order by rowid;

-- name: mail
select name, key, at, urgent, value from mail where turn = (select turn from job where id = ?) order by rowid;

-- name: tally
select * from tally order by queue;

-- name: oldest
select min(run_at) as oldest from job where queue = ? and state = 1 and priority = ?;
