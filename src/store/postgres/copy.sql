-- copy: jobs whole, with all they left, in the order of arrival (C7, C11).
--
-- In      the turn, or the id, after which to go on; how many; how much a page may weigh; then ids
-- Out     the ids of a page, then rows by id
-- Cost    one index step a row: a handful of walks a page, whatever the number of jobs
-- Beware  a table that was never analysed looks small: without `steady` it would be read whole for each row

-- name: steady
select set_config(name, 'off', true)
from unnest(array['enable_seqscan', 'enable_hashjoin', 'enable_mergejoin', 'jit']) as name;

-- name: page
-- Cut where it grows heavy, after one job at least.
with next as (
  (select j.id, j.turn, octet_length(j.input) + coalesce(octet_length(j.error), 0)
     + coalesce(octet_length(j.progress), 0) as weight
   from errand.job as j where j.turn > $1 order by j.turn limit $2)
  union all
  (select e.id, e.turn, octet_length(e.input) + coalesce(octet_length(e.result), 0) + coalesce(octet_length(e.error), 0)
     + coalesce(octet_length(e.progress), 0)
   from errand.ended as e where e.turn > $1 order by e.turn limit $2)
  order by turn limit $2
),
weighed as (
  select id, turn, sum(weight
    + coalesce((select sum(octet_length(l.text)) from errand.log as l where l.id = next.id), 0)
    + coalesce((select sum(octet_length(s.value)) from errand.step as s where s.id = next.id), 0)
    + coalesce((select sum(octet_length(m.value)) from errand.mail as m where m.id = next.id), 0)
    + coalesce((select sum(octet_length(a.error)) from errand.attempt as a where a.id = next.id), 0))
    over (order by turn rows between unbounded preceding and 1 preceding) as before
  from next
)
select id, turn from weighed where coalesce(before, 0) <= $3 order by turn;

-- name: whole
select j.turn, j.run_at, coalesce(j.created_at, j.run_at) as created_at, coalesce(j.fence, 0) as fence,
  j.started_at, j.expires_at, j.deadline_at, null as ended_at, j.rev, j.state, j.priority,
  coalesce(j.failures, 0) as failures, coalesce(j.crashes, 0) as crashes, coalesce(j.losses, 0) as losses, j.cancel_asked, false as with_errors, j.id, j.worker, j.subject,
  j.queue, j.tenant, j.unique_value, j.unique_until, j.fingerprint, j.waiting_for, null as reason,
  to_json(j.tags) as tags, j.input, null as result, j.error, j.progress, j.wakes_at, j.parent, j.called, j.batch, j.item, j.held, j.limits, k.name, k.policy
from errand.job as j join errand.kind as k on k.id = j.kind where j.id = any($1::text::uuid[])
union all
select e.turn, e.run_at, e.created_at, e.fence, e.started_at, e.expires_at, e.deadline_at, e.ended_at, e.rev,
  e.state, e.priority, e.failures, e.crashes, e.losses, e.cancel_asked, e.with_errors, e.id, e.worker, e.subject,
  e.queue, e.tenant, e.unique_value, e.unique_until, e.fingerprint, null, e.reason,
  to_json(e.tags), e.input, e.result, e.error, e.progress, null, e.parent, e.called, e.batch, e.item, e.held, e.limits, k.name, k.policy
from errand.ended as e join errand.kind as k on k.id = e.kind where e.id = any($1::text::uuid[]);

-- name: runs
select id, fence, worker, started_at, ended_at, outcome, error from errand.attempt
where id = any($1::text::uuid[]) order by id, fence;

-- name: lines
select id, n, at, fence, level, text from errand.log where id = any($1::text::uuid[]) order by id, n;

-- name: whole_batches
select b.*, k.name, k.queue, k.policy from errand.batch as b left join errand.kind as k on k.id = (b.end_job ->> 'kind')::bigint
where b.turn > $1 order by b.turn limit $2;

-- name: aliases
select id, job, fingerprint, purge_at from errand.alias
where id > coalesce(nullif($1, '')::uuid, '00000000-0000-0000-0000-000000000000') order by id limit $2;
