-- limits: places of keys, and the lines of those that wait for one (C17).
--
-- In      a key, a job
-- Out     what a key counts; who is next in its line
-- Cost    an index step a key and job; one job admitted for each place that was given back
-- Beware  a job stands in one line only: when another of its keys turns out to be full it moves to that one's

-- name: write
insert or replace into limit_key (key, places, pending) values (?, ?, ?);

-- name: counts
select places, pending from limit_key where key = ?;

-- name: strike
delete from limit_key where key = ?;

-- name: hold
update job set state = iif(state = 1, -1, state), held = ? where turn = ?;

-- name: next
select job.turn, body.limits from job join body using (turn)
where job.state = -1 and job.held = ? order by job.priority, job.run_at, job.turn limit 1000;

-- name: admit
update job set state = 1 where turn in (select value from json_each(?));

-- name: pass
update job set held = ? where turn = ?;
