-- register, renew, bury: workers come, stay and go (C5, C6).
--
-- In      a worker's id; the store's clock
-- Out     whether it is alive, and the jobs whose cancel was asked
-- Cost    one row, and the worker's running jobs when it renews
-- Beware  a lease that lapsed and came back is a new lease: its worker may not sweep for one TTL

-- name: register
insert into worker (id, lease_ms, lease_until, unbroken_from, registered_at, info)
values (:id, :leaseMs, :now + :leaseMs, :now, :now, :info)
on conflict (id) do nothing;

-- name: renew
update worker
set unbroken_from = iif(lease_until <= :now, :now, min(unbroken_from, :now)), lease_until = :now + lease_ms,
    metrics = coalesce(:metrics, metrics)
where id = :worker and gone_at is null;

-- name: asked
select job.id from receipt, json_each(receipt.handed) as given
join job on job.turn = given.value ->> 0 and job.fence = given.value ->> 1
  and job.worker = receipt.worker and job.receipt = receipt.n
where receipt.worker = ? and job.state = 2 and job.cancel_asked = 1;

-- name: finished
select id, metrics from worker
where gone_at <= :now - 3600000 and not exists (select 1 from receipt where receipt.worker = worker.id);

-- name: buried
select metrics from buried;

-- name: unbury
delete from buried;

-- name: bury
insert into buried (metrics) values (?);

-- name: strike
delete from worker where id = ?;

-- name: all
select id, info, registered_at, lease_until, gone_at is null and lease_until > :now as alive,
  (select coalesce(sum(open), 0) from receipt where receipt.worker = worker.id) as running
from worker where gone_at is null or gone_at > :now - 3600000 order by registered_at;

-- name: metrics
select metrics from worker where metrics is not null union all select metrics from buried;
