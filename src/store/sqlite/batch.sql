-- batch: items followed together (C16).
--
-- In      a batch; what a turn changed of its tally
-- Out     the batch as it stands
-- Cost    one index step a batch and turn, however many of its items ended in it
-- Beware  a batch that has ended is open again when an item of it is given another life

-- name: open
insert or ignore into batch (id, job, tenant, created_at, filled_at, keep_ms, failed_max, fingerprint, end_job)
values (:id, :job, :tenant, :now, :now, :keep_ms, :failed_max, :fingerprint, :end_job);

-- name: find
select * from batch where id = ?;

-- name: tell
update batch
set items = items + :items, completed = completed + :completed, with_errors = with_errors + :withErrors,
    failed = failed + :failed, cancelled = cancelled + :cancelled, erased = erased + :erased,
    filled_at = coalesce(:filled_at, filled_at)
where id = :id;

-- name: limit
update batch set failed_max = coalesce(?, failed_max) where id = ? and closed_at is null;

-- name: close
update batch set closed_at = ? where id = ? and closed_at is null;

-- name: stop
update batch set stopped = ? where id = ? and stopped is null and ended_at is null;

-- name: end
update batch set ended_at = :now, purge_at = :now + keep_ms, endings = endings + 1 where id = :id
returning end_job, endings;

-- name: reopen
update batch set ended_at = null, purge_at = null, stopped = null where id = ?;

-- name: stopped
select stopped from batch where id = ? and stopped is not null;

-- name: idle
select id from batch where closed_at is null and filled_at <= ? order by id limit 100;

-- name: allStopped
select * from batch where stopped is not null and ended_at is null limit 100;

-- name: list
select * from batch where turn < ? order by turn desc limit 1000;

-- name: copy
select * from batch where turn > ? order by turn limit ?;

-- name: adopt
insert or ignore into batch (id, job, tenant, created_at, filled_at, closed_at, ended_at, purge_at, keep_ms, stopped, failed_max,
  fingerprint, end_job, items, completed, with_errors, failed, cancelled, erased, endings)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: ripe
select id, turn from batch where purge_at <= ? order by purge_at limit 100;

-- name: isNeeded
-- By items that are kept, or by its last job, which may be given another life.
select 1 from batch where id = :id and (erased < items or exists (
  select 1 from body join job using (turn) where body.subject = :id and job.state <> 4));

-- name: later
update batch set purge_at = ? where id = ?;

-- name: erase
delete from batch where id = ?;
