-- find, list, tally, and what else is only read: jobs as they lie here (C10, C11).
--
-- In      ids, or where a walk goes on
-- Out     rows; a walk gives what filters need, and the ids to read the rest by
-- Cost    one index step a row; a walk looks at 1 000 at most
-- Beware  each walk has an order and so a cursor of its own; `job` and `ended` are walked side by side

-- name: find
select j.turn, j.run_at, coalesce(j.created_at, j.run_at) as created_at, coalesce(j.fence, 0) as fence,
  j.started_at, j.expires_at, j.deadline_at, null as ended_at, j.rev, j.state, j.priority,
  coalesce(j.failures, 0) as failures, coalesce(j.crashes, 0) as crashes, coalesce(j.losses, 0) as losses,
  j.cancel_asked, false as with_errors, j.id, j.worker, j.subject,
  j.queue, j.tenant, j.unique_value, j.fingerprint, j.waiting_for, null as reason, to_json(j.tags) as tags, j.input,
  null as result, j.error, j.progress, j.wakes_at, j.parent, j.called, j.batch, j.item, j.held, j.limits, k.name, k.policy
from errand.job as j join errand.kind as k on k.id = j.kind where j.id = any($1::text::uuid[])
union all
select e.turn, e.run_at, e.created_at, e.fence, e.started_at, e.expires_at, e.deadline_at, e.ended_at, e.rev,
  e.state, e.priority, e.failures, e.crashes, e.losses, e.cancel_asked, e.with_errors, e.id, e.worker, e.subject,
  e.queue, e.tenant, e.unique_value, e.fingerprint, null, e.reason, to_json(e.tags), e.input,
  e.result, e.error, e.progress, null, e.parent, e.called, e.batch, e.item, e.held, e.limits, k.name, k.policy
from errand.ended as e join errand.kind as k on k.id = e.kind where e.id = any($1::text::uuid[]);

-- name: artifacts
select id, file, fence, type, bytes, sha256, expires_at from errand.artifact
where id = any($1::text::uuid[]) order by id, file;

-- name: holder
select id from errand.hold where tenant = $1 and name = $2 and value = $3;

-- name: ahead
-- Along the index of what is ready, as a claim goes.
select count(*) as ahead from (
  select from errand.job as own join errand.job as j on j.state = 1 and j.queue = own.queue
    and ((j.priority::bigint << 56 | j.run_at), j.turn) < ((own.priority::bigint << 56 | own.run_at), own.turn)
  where own.id = $1::text::uuid and own.state = 1 limit $2
) as before;

-- name: kinds
select id, name, queue, policy from errand.kind where id = any($1::text::bigint[]);

-- name: all
(select j.id, j.turn, j.state, j.queue, k.name, j.tenant, j.batch from errand.job as j join errand.kind as k on k.id = j.kind
 where j.turn < $1 order by j.turn desc limit 1000)
union all
(select e.id, e.turn, e.state, e.queue, k.name, e.tenant, e.batch from errand.ended as e join errand.kind as k on k.id = e.kind
 where e.turn < $1 order by e.turn desc limit 1000)
order by turn desc limit 1000;

-- name: tagged
select t.id, t.turn, one.state, one.queue, k.name, one.tenant, one.batch
from (select id, turn from errand.tag where tag = $2 and turn < $1 order by turn desc limit 1000) as t
cross join lateral (
  select j.state, j.queue, j.tenant, j.batch, j.kind from errand.job as j where j.id = t.id
  union all
  select e.state, e.queue, e.tenant, e.batch, e.kind from errand.ended as e where e.id = t.id limit 1
) as one
join errand.kind as k on k.id = one.kind order by t.turn desc;

-- name: ready
select j.id, j.turn, j.state, j.queue, k.name, j.tenant, j.batch, j.priority, j.run_at
from errand.job as j join errand.kind as k on k.id = j.kind
where j.state = 1 and (j.queue, (j.priority::bigint << 56 | j.run_at), j.turn)
  > ($1::text, $2::text::bigint << 56 | $3::text::bigint, $4::text::bigint)
order by j.queue, (j.priority::bigint << 56 | j.run_at), j.turn limit 1000;

-- name: held
select j.id, j.turn, j.state, j.queue, k.name, j.tenant, j.batch, j.held, j.priority, j.run_at
from errand.job as j join errand.kind as k on k.id = j.kind
where j.state = -1 and (j.held, (j.priority::bigint << 56 | j.run_at), j.turn)
  > ($1::text, $2::text::bigint << 56 | $3::text::bigint, $4::text::bigint)
order by j.held, (j.priority::bigint << 56 | j.run_at), j.turn limit 1000;

-- name: is_held
select 1 from errand.job where state = -1 limit 1;

-- name: scheduled
select j.id, j.turn, j.state, j.queue, k.name, j.tenant, j.batch, j.run_at
from errand.job as j join errand.kind as k on k.id = j.kind
where j.state = 0 and (j.run_at, j.turn) > ($1, $2) order by j.run_at, j.turn limit 1000;

-- name: running
select j.id, j.turn, j.state, j.queue, k.name, j.tenant, j.batch
from errand.receipt as r cross join lateral unnest(r.ids, r.fences) as given (id, fence)
join errand.job as j on j.id = given.id and j.fence = given.fence and j.state = 2
  and j.worker = r.worker and j.receipt = r.n
join errand.kind as k on k.id = j.kind
where j.turn > $1 order by j.turn limit 1000;

-- name: waiting
select j.id, j.turn, j.state, j.queue, k.name, j.tenant, j.batch from errand.job as j join errand.kind as k on k.id = j.kind
where j.state = 3 and j.turn > $1 order by j.turn limit 1000;

-- name: failed
select e.id, e.turn, e.state, e.queue, k.name, e.tenant, e.batch, e.ended_at
from errand.ended as e join errand.kind as k on k.id = e.kind
where e.state = 5 and (e.ended_at, e.turn) < ($1, $2) order by e.ended_at desc, e.turn desc limit 1000;

-- name: cancelled
select e.id, e.turn, e.state, e.queue, k.name, e.tenant, e.batch, e.ended_at
from errand.ended as e join errand.kind as k on k.id = e.kind
where e.state = 6 and (e.ended_at, e.turn) < ($1, $2) order by e.ended_at desc, e.turn desc limit 1000;

-- name: attempts
-- The last thousand: runs that are not counted have no other bound.
select * from (
  select fence, worker, started_at, ended_at, outcome, error from errand.attempt
  where id = $1::text::uuid order by fence desc limit 1000
) as latest order by fence;

-- name: logs
select n, at, fence, level, text from errand.log where id = $1::text::uuid and n > $2 order by n limit $3;

-- name: steps
select id, name, at, value from errand.step where id = any($1::text::uuid[]) order by id, n;

-- name: mail
select id, name, key, at, urgent, value from errand.mail where id = any($1::text::uuid[]) order by id, n;

-- name: awaited
select id, name, for_all from errand.awaited where id = any($1::text::uuid[]) order by id, name;

-- name: batches
select * from errand.batch where id = any($1::text::uuid[]);

-- name: list_batches
select * from errand.batch where turn < $1 order by turn desc limit 1000;

-- name: tally
select queue, sum(accepted) as accepted, sum(erased) as erased, sum(scheduled) as scheduled, sum(ready) as ready,
  sum(running) as running, sum(waiting) as waiting, sum(completed) as completed, sum(failed) as failed,
  sum(cancelled) as cancelled,
  (select min(oldest.run_at) from generate_series(0, 9) as p (priority), lateral (
    select j.run_at from errand.job as j where j.queue = tally.queue and j.state = 1
      and (j.priority::bigint << 56 | j.run_at) >= p.priority::bigint << 56
      and (j.priority::bigint << 56 | j.run_at) < (p.priority + 1)::bigint << 56
    order by (j.priority::bigint << 56 | j.run_at) limit 1) as oldest) as oldest
from errand.tally group by queue order by queue;

-- name: rates
select r.name, r.count, r.window_ms, case when r.closed_until > now.at then r.closed_until end as closed_until,
  coalesce(least(r.kept, r.total - coalesce((
    select t.upto from errand.taken as t where t.name = r.name and t.at <= now.at - r.window_ms order by t.upto desc limit 1
  ), 0)), 0) as taken
from errand.rate as r, (select errand.clock($1::text::bigint) as at) as now order by r.name limit 1000;

-- name: workers
select id, info, registered_at, lease_until, gone_at is null and lease_until > now.at as alive,
  (select coalesce(sum(open), 0) from errand.receipt where receipt.worker = worker.id) as running
from errand.worker, (select errand.clock($1::text::bigint) as at) as now
where gone_at is null or gone_at > now.at - 3600000 order by registered_at, id;

-- name: metrics
select metrics from errand.worker where metrics is not null union all select metrics from errand.buried;

-- name: expired
select a.* from errand.artifact as a
where a.expires_at <= errand.clock($1::text::bigint) order by a.expires_at limit $2;

-- name: forget
delete from errand.artifact as a using jsonb_to_recordset($1::text::jsonb) as g (id uuid, file text)
where a.id = g.id and a.file = g.file;

-- name: finished
select id, metrics from errand.worker as w
where gone_at <= errand.clock($1::text::bigint) - 3600000
  and not exists (select from errand.receipt where receipt.worker = w.id) for update;

-- name: unbury
delete from errand.buried returning metrics;

-- name: bury
insert into errand.buried (metrics) values ($1);

-- name: strike
with struck as (delete from errand.worker where id = any($1::text::uuid[]))
delete from errand.number where worker = any($1::text::uuid[]);

-- name: warnings
select format('a transaction of %s (pid %s) has been open for %s s: what ended since then cannot be cleaned up, '
  'and claims get slower the longer it stays', coalesce(nullif(a.application_name, ''), a.usename, 'somebody'), a.pid,
  extract(epoch from now.at - a.xact_start)::integer) as warning
from pg_stat_activity as a, (select to_timestamp(errand.clock($1::text::bigint) / 1000.0) as at) as now
where a.datname = current_database() and a.pid <> pg_backend_pid() and a.xact_start < now.at - interval '10 s'
  and (a.backend_xmin is not null or a.backend_xid is not null) and a.backend_type = 'client backend'
union all
select format('the transaction %s was prepared %s s ago and never ended: what ended since then cannot be cleaned up',
  p.gid, extract(epoch from now.at - p.prepared)::integer)
from pg_prepared_xacts as p, (select to_timestamp(errand.clock($1::text::bigint) / 1000.0) as at) as now
where p.database = current_database() and p.prepared < now.at - interval '1 min'
union all
select format('%s rows of job are dead beside %s that live: vacuum does not keep up', s.n_dead_tup, s.n_live_tup)
from pg_stat_user_tables as s
where s.relid = 'errand.job'::regclass and s.n_dead_tup > 1000000 and s.n_dead_tup > 10 * s.n_live_tup;

-- name: ping
select count(*) from errand.tally;

-- name: entries_all
select kind, name, stamp, at, value from errand.entry where kind = $1 order by name;

-- name: entries_due
select kind, name, stamp, at, value from errand.entry where kind = $1 and at <= errand.clock($2) order by at, name limit $3;

-- name: entries_named
select kind, name, stamp, at, value from errand.entry where kind = $1 and name = $2;

-- name: entries_next
select errand.clock($2) as now, (select min(at) from errand.entry where kind = $1 and at is not null) as at;
