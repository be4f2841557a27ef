-- verify: every sentence of the contract that rows can break, each as the rows that break it (C5, C10, C12).
--
-- In      nothing
-- Out     a law and an example of its breaking; no rows when all is accounted for
-- Cost    reads every job: for people, not for programs
-- Beware  run in one snapshot, or a job on its way looks lost

-- name: accounting
select 'accepted = ended + live + erased' as law, queue || ': ' || sum(accepted) || ' accepted' as detail
from errand.tally group by queue
having sum(accepted) <> sum(scheduled + ready + running + waiting + completed + failed + cancelled + erased);

-- name: counters
with kept as (select queue, state from errand.job union all select queue, state from errand.ended),
counted as (
  select queue, count(*) filter (where state = 0) s0, count(*) filter (where state in (1, -1)) s1,
    count(*) filter (where state = 2) s2, count(*) filter (where state = 3) s3, count(*) filter (where state = 4) s4,
    count(*) filter (where state = 5) s5, count(*) filter (where state = 6) s6
  from kept group by queue
),
tallied as (
  select queue, sum(scheduled) t0, sum(ready) t1, sum(running) t2, sum(waiting) t3, sum(completed) t4,
    sum(failed) t5, sum(cancelled) t6 from errand.tally group by queue
)
select 'counters agree with what is stored' as law, queue as detail from tallied left join counted using (queue)
where (t0, t1, t2, t3, t4, t5, t6) is distinct from (coalesce(s0, 0)::numeric, coalesce(s1, 0)::numeric,
  coalesce(s2, 0)::numeric, coalesce(s3, 0)::numeric, coalesce(s4, 0)::numeric, coalesce(s5, 0)::numeric,
  coalesce(s6, 0)::numeric)
union all
select 'every queue has its counters', queue from counted where queue not in (select queue from errand.tally);

-- name: receipts
with given as (
  select r.worker, r.n, g.id, g.fence from errand.receipt as r, unnest(r.ids, r.fences) as g (id, fence)
),
standing as (
  select j.id, count(given.id) as many from errand.job as j
  left join given on given.id = j.id and given.fence = j.fence and given.worker = j.worker and given.n = j.receipt
  where j.state = 2 group by j.id
)
select 'a running job stands in exactly one receipt of its worker' as law, id::text as detail from standing
where many <> 1 limit 100;

-- name: once
select 'a job lives or has ended, not both' as law, id::text as detail from errand.job join errand.ended using (id)
limit 100;

-- name: policies
select 'every body has its policy' as law, id::text as detail from (
  select id, kind from errand.job union all select id, kind from errand.ended
) as kept where kind not in (select id from errand.kind) limit 100;

-- name: endings
with listed as (select unnest(ids) as id, ended_at, purge_at from errand.retention)
select 'every ended job has a time to go' as law, e.id::text as detail from errand.ended as e
where not exists (select from listed where listed.id = e.id and listed.ended_at = e.ended_at
  and listed.purge_at >= e.purge_at) limit 100;

-- name: uniques
select 'only live and completed jobs hold a unique value' as law, h.id::text as detail from errand.hold as h
where not exists (select from errand.job as j where j.id = h.id and j.unique_value = h.value)
  and not exists (select from errand.ended as e where e.id = h.id and e.unique_value = h.value and e.state = 4)
limit 100;

-- name: limits
with asked as (
  select j.id, j.state, l.key, l.running, l.pending
  from errand.job as j, jsonb_to_recordset(j.limits) as l (key text, running integer, pending integer)
),
counted as (
  select key, count(*) filter (where running is not null and state in (1, 2)) as places,
    count(*) filter (where pending is not null and state <> 2) as pending from asked group by key
)
select 'a key counts the places it gave, and those that wait' as law, c.key as detail
from counted as c left join errand.limit_key as k using (key)
where c.places <> coalesce(k.places, 0) or c.pending <> coalesce(k.pending, 0)
union all
select 'a key that nobody has is forgotten', key from errand.limit_key where key not in (select key from asked)
union all
select 'a held job names its key', id::text from errand.job where state = -1 and held is null limit 100;

-- name: held
select 'a live job holds its unique value' as law, j.id::text as detail
from errand.job as j join errand.kind as k on k.id = j.kind
where j.unique_value is not null and not exists (
  select from errand.hold as h where h.tenant = j.tenant and h.name = k.name and h.value = j.unique_value and h.id = j.id)
limit 100;

-- name: holders
select 'a running job has a worker' as law, id::text as detail from errand.job where state = 2 and worker is null
union all
select 'every receipt has its worker', worker::text from errand.receipt
where worker not in (select id from errand.worker) limit 100;

-- name: open
with still as (
  select r.worker, r.n, r.open, count(j.id) as running
  from errand.receipt as r cross join lateral unnest(r.ids, r.fences) as g (id, fence)
  left join errand.job as j on j.id = g.id and j.fence = g.fence and j.state = 2
    and j.worker = r.worker and j.receipt = r.n
  group by r.worker, r.n, r.open
)
select 'a receipt counts the jobs that still run' as law, worker || ' ' || n as detail from still
where open <> running limit 100;

-- name: waiting
select 'a waiting job says for what, and no other' as law, id::text as detail from errand.job
where (state = 3) <> (waiting_for is not null)
union all
select 'only a waiting job wakes', id::text from errand.job where wakes_at is not null and state <> 3
union all
select 'a job whose letter is there waits no more', j.id::text from errand.job as j join errand.awaited using (id)
join errand.mail using (id, name) where j.state = 3 limit 100;

-- name: fences
select 'no run has a higher fence than its job' as law, kept.id::text as detail from (
  select id, coalesce(fence, 0) as fence from errand.job union all select id, fence from errand.ended
) as kept join errand.attempt as a using (id) where a.fence > kept.fence limit 100;

-- name: leavings
with kept as (select id from errand.job union all select id from errand.ended)
select 'what was left has its job: ' || kind as law, id::text as detail from (
  select 'run' as kind, id from errand.attempt
  union all select 'log', id from errand.log
  union all select 'step', id from errand.step
  union all select 'file', id from errand.artifact
  union all select 'tag', id from errand.tag
  union all select 'letter', id from errand.mail
  union all select 'wait', id from errand.awaited
) as things where id not in (select id from kept) limit 100;

-- name: files
select 'only a completed job has files' as law, a.id::text as detail from errand.artifact as a
left join errand.ended as e using (id) where e.state is distinct from 4 limit 100;

-- name: subjects
select 'a hook that may run has its subject' as law, hook.id::text as detail from (
  select id, subject from errand.job union all select id, subject from errand.ended where state <> 4
) as hook
where hook.subject is not null and not exists (select from errand.ended as e where e.id = hook.subject)
  and not exists (select from errand.job as s where s.id = hook.subject)
  and not exists (select from errand.batch as b where b.id = hook.subject) limit 100;

-- name: tallies
-- Items that are erased still count as what they had become.
with stored as (
  select batch, state, false as warned from errand.job where batch is not null
  union all select batch, state, with_errors from errand.ended where batch is not null
),
kept as (
  select batch as id, count(*) as items, count(*) filter (where state >= 4) as over, count(*) filter (where state = 4) as s4,
    count(*) filter (where state = 5) as s5, count(*) filter (where state = 6) as s6, count(*) filter (where warned) as warned
  from stored group by batch
)
select 'a batch counts its items' as law, b.id::text as detail from errand.batch as b left join kept as k using (id)
where b.items - b.erased <> coalesce(k.items, 0) or b.completed + b.failed + b.cancelled - b.erased <> coalesce(over, 0)
  or completed < coalesce(s4, 0) or failed < coalesce(s5, 0) or cancelled < coalesce(s6, 0)
  or with_errors < coalesce(warned, 0)
union all
select 'a closed batch has ended when its items have', id::text from errand.batch
where (ended_at is not null) <> (closed_at is not null and completed + failed + cancelled = items)
union all
select 'every item has its batch', id::text from kept where id not in (select id from errand.batch) limit 100;
