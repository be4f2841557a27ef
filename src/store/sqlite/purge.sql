-- purge, erase: removes what has been kept long enough, or is to go now (C8, C10, C12).
--
-- In      the store's clock; a bound, or one id at a time
-- Out     what was erased
-- Cost    index steps for what is removed
-- Beware  a list of ended jobs may name one that was retried since: only the same ending is purged, and of
--         two in one moment the row knows the last

-- name: ripe
select rowid, ended_at, turns from ended where purge_at <= ? order by purge_at limit 100;

-- name: done
delete from ended where rowid = ?;

-- name: shorten
update ended set turns = ? where rowid = ?;

-- name: find
select job.turn, job.state, job.ended_at, body.fingerprint, body.created_at
from job join body using (turn) where job.id = ?;

-- name: remember
-- Under its own id, so that a repeat of the request makes no other job.
insert or replace into alias (id, job, fingerprint, purge_at) values (:id, :id, :fingerprint, :until);

-- name: erase
delete from job where turn = ? and state >= 4 and ended_at = ? and coalesce(purge_at, 0) <= coalesce(?, purge_at, 0)
returning id, queue, state;

-- name: hooked
-- A hook that lives looks back on this job, or one that a person may retry.
select 1 from job join body on body.subject = job.id join job as hook on hook.turn = body.turn
where job.turn = ? and hook.state <> 4 limit 1;

-- name: needed
-- A hook that lives looks back on this job, or one that a person may retry; or its batch takes more: sent again it
-- must be found.
select 'hooked' as by from job join body on body.subject = job.id join job as hook on hook.turn = body.turn
where job.turn = :turn and hook.state <> 4
union all
select 'filling' from body join batch on batch.id = body.batch where body.turn = :turn and batch.closed_at is null limit 1;

-- name: later
insert into ended (purge_at, ended_at, turns) values (?, ?, ?);

-- name: due
select turn, what from drops where drop_at <= ? order by drop_at limit ?;

-- name: postpone
update drops set drop_at = ? where turn = ? and what = ?;

-- name: dropped
delete from drops where turn = ? and what = ?;

-- name: seen
update job set rev = rev + 1 where turn = ? and state = 4;

-- name: input
update body set input = x'' where turn = ?;

-- name: result
update body set result = null where turn = ?;

-- name: undropped
delete from drops where turn = ?;

-- name: aliases
delete from alias where id in (select id from alias where purge_at <= ? limit 1000);

-- name: body
delete from body where turn = ? returning tags, batch;

-- name: logs
delete from log where turn = ?;

-- name: attempts
delete from attempt where turn = ?;

-- name: steps
delete from step where turn = ?;

-- name: mail
delete from mail where turn = ?;

-- name: awaited
delete from awaited where turn = ?;

-- name: tags
delete from tag where turn = ? and tag in (select value from json_each(?));

-- name: artifacts
delete from artifact where turn = ?;

-- name: expired
select job.id, artifact.* from artifact join job using (turn) where expires_at <= ? order by expires_at limit ?;

-- name: forget
delete from artifact where file = ? and turn = (select turn from job where id = ?);
