-- verify: every sentence of the contract that rows can break, each as the rows that break it (C5, C10, C12).
--
-- In      nothing
-- Out     a law and an example of its breaking; no rows when all is accounted for
-- Cost    reads every job: for people, not for programs
-- Beware  run in one read transaction, or a job on its way looks lost

-- name: accounting
select 'accepted = ended + live + erased' as law, queue || ': ' || accepted || ' accepted' as detail from tally
where accepted <> scheduled + ready + running + waiting + completed + failed + cancelled + erased;

-- name: counters
with counted as (
  select queue, sum(state = 0) s0, sum(state in (1, -1)) s1, sum(state = 2) s2, sum(state = 3) s3,
    sum(state = 4) s4, sum(state = 5) s5, sum(state = 6) s6
  from job group by queue
)
select 'counters agree with what is stored' as law, tally.queue as detail
from tally left join counted using (queue)
where (scheduled, ready, running, waiting, completed, failed, cancelled)
  <> (coalesce(s0, 0), coalesce(s1, 0), coalesce(s2, 0), coalesce(s3, 0), coalesce(s4, 0), coalesce(s5, 0), coalesce(s6, 0))
union all
select 'every queue has its counters', queue from counted where queue not in (select queue from tally);

-- name: limits
with asked as (
  select job.id, job.state, value ->> 'key' as key, value ->> 'running' as running, value ->> 'pending' as pending
  from body join job using (turn), json_each(body.limits) where body.limits is not null and job.state < 4
),
counted as (
  select key, coalesce(sum(running is not null and state in (1, 2)), 0) as places,
    coalesce(sum(pending is not null and state <> 2), 0) as pending from asked group by key
)
select 'a key counts the places it gave, and those that wait' as law, key as detail from counted left join limit_key using (key)
where counted.places <> coalesce(limit_key.places, 0) or counted.pending <> coalesce(limit_key.pending, 0)
union all
select 'a key that nobody has is forgotten', key from limit_key where key not in (select key from asked)
union all
select 'a held job names its key', id from job where state = -1 and held is null limit 100;

-- name: receipts
with given as (
  select receipt.worker, receipt.n, value ->> 0 as turn, value ->> 1 as fence
  from receipt, json_each(receipt.handed)
)
select 'a running job stands in exactly one receipt of its worker' as law, job.id as detail from job
where job.state = 2 and 1 <> (
  select count(*) from given
  where given.turn = job.turn and given.fence = job.fence and given.worker = job.worker and given.n = job.receipt
)
limit 100;

-- name: bodies
select 'every job has its body' as law, job.id as detail from job where turn not in (select turn from body)
union all
select 'every body has its job', 'turn ' || turn from body where turn not in (select turn from job)
limit 100;

-- name: policies
select 'every body has its policy' as law, 'turn ' || turn as detail from body
where policy not in (select id from policy) limit 100;

-- name: endings
with listed as (
  select value as turn, ended.ended_at, max(ended.purge_at) as looked_at from ended, json_each(ended.turns) group by 1, 2
)
select 'every ended job has a time to go' as law, job.id as detail from job
where state >= 4 and (turn, ended_at) not in (
  select turn, ended_at from listed where looked_at >= coalesce(job.purge_at, 0)
)
limit 100;

-- name: uniques
select 'only live and completed jobs hold a unique value' as law, job.id as detail
from body join job using (turn) where body.unique_held = 1 and job.state in (5, 6)
limit 100;

-- name: holders
select 'a running job has a worker' as law, id as detail from job where state = 2 and worker is null
union all
select 'every receipt has its worker', worker from receipt where worker not in (select id from worker)
limit 100;

-- name: open
with still as (
  select receipt.worker, receipt.n, receipt.open, count(job.turn) as running
  from receipt join json_each(receipt.handed) as given left join job
    on job.turn = given.value ->> 0 and job.fence = given.value ->> 1 and job.state = 2
    and job.worker = receipt.worker and job.receipt = receipt.n
  group by receipt.worker, receipt.n
)
select 'a receipt counts the jobs that still run' as law, worker || ' ' || n as detail from still
where open <> running limit 100;

-- name: times
select 'an ended job has its time, and no other' as law, id as detail from job
where (state >= 4) <> (ended_at is not null) limit 100;

-- name: waiting
select 'a waiting job says for what, and no other' as law, job.id as detail from job join body using (turn)
where (state = 3) <> (waiting_for is not null)
union all
select 'only a waiting job wakes', id from job where wakes_at is not null and state <> 3
union all
select 'a job whose letter is there waits no more', job.id from job join awaited using (turn) join mail using (turn, name)
where job.state = 3 limit 100;

-- name: fences
select 'no run has a higher fence than its job' as law, job.id as detail from job join attempt using (turn)
where attempt.fence > job.fence limit 100;

-- name: leavings
select 'what was left has its job: ' || kind as law, 'turn ' || turn as detail from (
  select 'run' as kind, turn from attempt
  union all select 'log', turn from log
  union all select 'step', turn from step
  union all select 'file', turn from artifact
  union all select 'tag', turn from tag
  union all select 'letter', turn from mail
  union all select 'wait', turn from awaited
)
where turn not in (select turn from job) limit 100;

-- name: files
select 'only a completed job has files' as law, job.id as detail from artifact join job using (turn)
where job.state <> 4 limit 100;

-- name: subjects
select 'a hook that may run has its subject' as law, job.id as detail from body join job using (turn)
where body.subject is not null and job.state <> 4 and body.subject not in (select id from job)
  and body.subject not in (select id from batch) limit 100;

-- name: tallies
-- Items that are erased still count as what they had become.
with kept as (
  select body.batch as id, count(*) as items, sum(job.state >= 4) as over, sum(job.state = 4) as s4,
    sum(job.state = 5) as s5, sum(job.state = 6) as s6, sum(body.with_errors = 1) as warned
  from body join job using (turn) where body.batch is not null group by body.batch
)
select 'a batch counts its items' as law, batch.id as detail from batch left join kept using (id)
where batch.items - erased <> coalesce(kept.items, 0)
  or completed + failed + cancelled - erased <> coalesce(over, 0)
  or completed < coalesce(s4, 0) or failed < coalesce(s5, 0) or cancelled < coalesce(s6, 0)
  or with_errors < coalesce(warned, 0)
union all
select 'a closed batch has ended when its items have', id from batch
where (ended_at is not null) <> (closed_at is not null and completed + failed + cancelled = items)
union all
select 'every item has its batch', id from kept where id not in (select id from batch) limit 100;
