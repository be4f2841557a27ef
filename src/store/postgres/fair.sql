-- fair: where a job of a tenant stands in a line that many tenants share (C7).
--
-- In      a job that is about to be stored, and ready
-- Out     the virtual moment by which it leaves: beside the first of the line and after its tenant's own latest
-- Cost    three index steps a job
-- Beware  moments of a long line lie in the future: they order, and say nothing of time. A job is stored with its own:
--         one that is moved later leaves a dead entry before all others, which each look of the call would step over.
--         One call after the other, behind a lock that is taken before that of limits

-- Rows of tenants would be locked in the order in which jobs come, and those of others when a line is empty.
create function errand.lock_fair() returns void language sql
begin atomic
  select pg_advisory_xact_lock(hashtext('errand.fair'));
end;

create function errand.fair_moment(now bigint, job errand.new_job) returns bigint language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off as $$
declare
  head bigint;
  latest bigint;
begin
  perform errand.lock_fair();
  -- The first of those that are ready, and of those that wait for a place.
  select least(
    (select j.run_at from errand.job as j
     where j.queue = job.queue and j.state = 1
       and (j.priority::bigint << 56 | j.run_at) >= job.priority::bigint << 56
       and (j.priority::bigint << 56 | j.run_at) < (job.priority + 1)::bigint << 56
     order by (j.priority::bigint << 56 | j.run_at), j.turn limit 1),
    (select j.run_at from errand.job as j
     where j.queue = job.queue and j.state = -1
       and (j.priority::bigint << 56 | j.run_at) >= job.priority::bigint << 56
       and (j.priority::bigint << 56 | j.run_at) < (job.priority + 1)::bigint << 56
     order by (j.priority::bigint << 56 | j.run_at) limit 1)
  ) into head;
  if head is null then
    delete from errand.fair as f where f.queue = job.queue and f.priority = job.priority and f.tenant <> job.tenant;
  end if;
  insert into errand.fair as f (queue, priority, tenant, last)
  values (job.queue, job.priority, job.tenant, coalesce(head, now))
  on conflict (queue, priority, tenant) do update
  set last = case when head is null then now else greatest(f.last + 1, excluded.last) end
  returning f.last into latest;
  return latest;
end $$;
