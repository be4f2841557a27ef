-- note: progress, log lines and steps of a running job, under its fence only (C3, C13).
--
-- In      a job, its fence and holder; bytes of progress; one line or step at a time
-- Out     whether the fence still counts
-- Cost    one index step a job, one row a line or step
-- Beware  a job keeps at most 1 000 lines: later ones are dropped

-- name: holds
select turn from job where id = ? and fence = ? and worker = ? and state = 2;

-- name: progress
update body set progress = ? where turn = ?;

-- name: seen
update job set rev = rev + 1 where turn = ?;

-- name: step
insert or ignore into step (turn, name, at, value) values (?, ?, ?, ?);

-- name: headway
update job set crashes = 0, rev = rev + 1 where turn = ?;

-- name: last
select coalesce(max(n), 0) as n from log where turn = ?;

-- name: line
insert into log (turn, n, at, fence, level, text) values (?, ?, ?, ?, ?, ?);
