-- fair: where a job of a tenant stands in a line that many tenants share (C7).
--
-- In      a queue, a priority, a tenant
-- Out     the virtual moment by which it leaves: beside the first of the line, and after its tenant's own latest
-- Cost    three index steps a job
-- Beware  moments of a long line lie in the future: they order, and say nothing of time

-- name: head
-- Of those that are ready, and of those that wait for a place.
select min(head) as head from (
  select * from (
    select run_at as head from job where queue = :queue and priority = :priority and state = 1 and turn <> :turn
    order by queue, priority, run_at limit 1)
  union all
  select * from (
    select run_at as head from job where queue = :queue and priority = :priority and state = -1 and turn <> :turn
    order by queue, priority, run_at limit 1));

-- name: forget
delete from fair where queue = ? and priority = ?;

-- name: turn
insert into fair (queue, priority, tenant, last) values (:queue, :priority, :tenant, :head)
on conflict (queue, priority, tenant) do update set last = max(last + 1, excluded.last)
returning last;

-- name: stand
update job set run_at = ? where turn = ? and state = 1;
