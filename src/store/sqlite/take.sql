-- take, hold, rates: calls let pass under limits, and limits that are closed (C20).
--
-- In      a limit with the rate that its asker knows; how many calls; until when it is closed
-- Out     what is known of a limit; the moment that has to leave the window before so many more may pass
-- Cost    a few index steps a call; nothing is written for one that has to wait
-- Beware  `kept` is the most that anybody counts of a limit: who counts fewer forgets nothing of it

-- name: define
insert into rate (name, count, window_ms, kept, used_at) values (:name, :count, :window_ms, :count, :now)
on conflict (name) do update set count = :count, window_ms = :window_ms, kept = max(kept, :count)
where count is not :count or window_ms is not :window_ms;

-- name: known
select total, kept, closed_until, (select max(upto) from taken where taken.name = rate.name) as newest
from rate where name = ?;

-- name: at
select at from taken where name = ? and upto >= ? order by upto limit 1;

-- name: rewind
update taken set at = :at where name = :name and at > :at;

-- name: pass
insert into taken (name, upto, at) values (?, ?, ?);

-- name: count
update rate set total = ?, used_at = ? where name = ?;

-- name: trim
delete from taken where name = ? and upto <= ?;

-- name: close
insert into rate (name, closed_until, used_at) values (:name, :until, :now)
on conflict (name) do update set closed_until = max(coalesce(closed_until, 0), :until), used_at = :now;

-- name: open
update rate set closed_until = null where name = ?;

-- name: rates
select name, count, window_ms, closed_until, coalesce(min(kept, total - coalesce((
  select upto from taken where taken.name = rate.name and at <= :now - window_ms order by upto desc limit 1
), 0)), 0) as taken
from rate order by name limit 1000;

-- name: unused
select name from rate
where used_at < :now - :kept_ms - coalesce(window_ms, 0) and coalesce(closed_until, 0) <= :now limit 100;

-- name: forget
delete from rate where name = ?;
