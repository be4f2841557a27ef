-- post, and waiting for what is posted: mailboxes and their jobs (C14).
--
-- In      a job and a letter; the names that a job waits for, one at a time
-- Out     where the job lies and how; what lies in its mailbox
-- Cost    a few index steps a letter, one a name
-- Beware  names that a job waited for stay until it waits again: only those of one that waits count

-- name: box
select job.turn, job.state, job.queue, awaited.for_all
from job left join awaited on awaited.turn = job.turn and awaited.name = ? where job.id = ?;

-- name: known
select 1 from mail where turn = ? and name = ? and key = ?;

-- name: count
select count(*) as count from mail where turn = ?;

-- name: put
insert into mail (turn, name, key, at, urgent, value) values (?, ?, ?, ?, ?, ?);

-- name: carries
-- Who runs it next looks into the mailbox of a job that has been somewhere: of others there is none.
update job set receipt = 0 where turn = ? and receipt is null;

-- name: there
select max(coalesce(urgent, 0)) as urgent from mail where turn = ? and name = ? having count(*) > 0;

-- name: others
delete from mail where turn = ? and name = ? and substr(key, 1, 36) <> ?;

-- name: clear
delete from awaited where turn = ?;

-- name: await
insert or replace into awaited (turn, name, for_all) values (?, ?, ?);

-- name: arrived
delete from awaited where turn = ? and name = ?;

-- name: lacking
select 1 from awaited where turn = ? and for_all = 1 limit 1;

-- name: rest
update job set wakes_at = ? where turn = ?;

-- name: wake
update job set state = iif(held is null, 1, -1), run_at = ?, wakes_at = null, rev = rev + 1 where turn = ?
returning held;

-- name: unwait
update body set waiting_for = null where turn = ?;

-- name: awake
-- Those whose time has come, a bounded number a turn.
update job set state = iif(held is null, 1, -1), run_at = wakes_at, wakes_at = null, rev = rev + 1
where turn in (select turn from job where wakes_at <= ? order by wakes_at limit 1000)
returning turn, queue, held;

-- name: read
select name, key, at, urgent, value from mail where turn = ? order by rowid;
