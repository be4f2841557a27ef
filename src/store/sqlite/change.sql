-- cancel, retry, unpark: what people and workers change of jobs that are not running (C8, C10).
--
-- In      one id at a time; names of jobs for unpark
-- Out     the state it was in
-- Cost    a few index steps a job
-- Beware  a running job is only asked: it has one exit, the settlement of its holder

-- name: find
select job.turn, job.queue, job.state, body.batch, body.with_errors, body.limits, job.held from job join body using (turn) where job.id = ?;

-- name: ask
update job set cancel_asked = 1, rev = rev + 1 where turn = ? and cancel_asked = 0;

-- name: cancel
update job set state = 6, ended_at = ?, purge_at = ?, wakes_at = null, rev = rev + 1 where turn = ?;

-- name: release
update body set unique_held = null, waiting_for = null where turn = ?;

-- name: hold
-- Changes nothing when another job has taken the value meanwhile.
update or ignore body set unique_held = 1 where turn = ? and unique_value is not null;

-- name: free
select unique_value is null or unique_held = 1 as free from body where turn = ?;

-- name: revive
update job
set state = iif(held is null, 1, -1), run_at = ?, ended_at = null, purge_at = null, started_at = null, failures = 0, crashes = 0,
    losses = 0, cancel_asked = 0, rev = rev + 1
where turn = ? returning held;

-- name: renewed
update body
set input = coalesce(?, input), result = null, error = null, reason = null, progress = null,
    with_errors = null, expires_at = null, deadline_at = null
where turn = ?;

-- name: restore
-- Its own was dropped; it is called again on the same.
update body set input = ? where length(input) = 0 and turn = (select turn from job where id = ?);

-- name: anew
-- Steps were recorded for the input that it had.
delete from step where turn = ?;

-- name: unread
delete from mail where turn = ?;

-- name: forgive
-- What went wrong before this life is not held against it.
delete from mail where turn = ? and urgent = 1;

-- name: children
select job.turn, job.id, job.queue, job.state from body join job using (turn)
where body.parent = ? and job.state < 4 and job.cancel_asked = 0;

-- name: ending
-- Whether any that it called was asked to end, and has not.
select 1 from body join job using (turn)
where body.parent = ? and job.state < 4 and job.cancel_asked = 1 limit 1;

-- name: stir
-- Whoever takes it settles it as cancelled.
update job set state = iif(held is null, 1, -1), run_at = ?, wakes_at = null where turn = ? returning held;

-- name: unpark
update job set state = iif(held is null, 1, -1), rev = rev + 1
where state = 3 and turn in (
  select job.turn from job join body using (turn)
  where job.state = 3 and body.waiting_for = 'handler' and body.job in (select value from json_each(?))
)
returning turn, queue, held;

-- name: unwait
update body set waiting_for = null where turn = ?;
