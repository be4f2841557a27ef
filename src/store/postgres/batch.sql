-- batch: items followed together (C16).
--
-- In      a batch and its change; items of one; what a call has done to items, gathered
-- Out     the batch as it stands; what was not simply stored; the moves to be counted
-- Cost    one row a batch and call, however many of its items ended in it
-- Beware  rows of batches are locked in the order of their ids, before counters; one that has ended is open again when an item of it is given another life

create function errand.change_batch(in_now bigint, in_slot integer, in_id uuid, change jsonb, in_kinds jsonb)
returns setof errand.batch language plpgsql set enable_seqscan = off as $$
declare
  now bigint := errand.clock(in_now);
  new jsonb := change -> 'batch';
  moves errand.move[];
begin
  perform errand.learn(in_kinds);
  if change ->> 'to' = 'open' then
    insert into errand.batch (id, job, tenant, created_at, filled_at, keep_ms, failed_max, fingerprint, end_job)
    values (in_id, new ->> 'job', new ->> 'tenant', now, now, (new ->> 'keep_ms')::bigint,
      (new ->> 'failed_max')::integer, new ->> 'fingerprint', nullif(new -> 'end', 'null'))
    on conflict (id) do nothing;
  elsif change ->> 'to' = 'closed' then
    update errand.batch as b
    set closed_at = now, failed_max = coalesce((change ->> 'failed_max')::integer, b.failed_max)
    where b.id = in_id and b.closed_at is null;
  else
    update errand.batch as b set stopped = change ->> 'why', closed_at = coalesce(b.closed_at, now)
    where b.id = in_id and b.stopped is null and b.ended_at is null;
    if found then perform pg_notify('errand_change', ''); end if;
  end if;
  moves := errand.judge(now, in_id);
  if moves is not null then
    perform errand.count(in_slot, moves);
    perform pg_notify('errand_ready', '');
  end if;
  return query select * from errand.batch as b where b.id = in_id;
end $$;

-- Which it is, if it takes items; it takes no others until this call ends.
create function errand.takes(in_batch uuid) returns text language plpgsql as $$
declare
  closed bigint;
begin
  select b.closed_at into closed from errand.batch as b where b.id = in_batch for update;
  return case when not found then 'gone' when closed is not null then 'closed' else 'open' end;
end $$;

create function errand.filled(in_now bigint, in_batch uuid, many integer) returns void language sql
begin atomic
  update errand.batch set items = items + many, filled_at = errand.clock(in_now) where id = in_batch;
end;

create function errand.fill(
  in_now bigint, in_slot integer, in_kinds jsonb, ids uuid[], kinds bigint[], queues text[], tenants text[],
  priorities smallint[], run_ats bigint[], delays bigint[], expiries bigint[],
  deadlines bigint[], inputs bytea[], limits jsonb[], helds text[], in_batch uuid, items integer[]
) returns table (place integer, id uuid, verdict text) language plpgsql set enable_seqscan = off as $$
#variable_conflict use_column
declare
  standing text := errand.takes(in_batch);
  there integer := 0;
begin
  if standing <> 'open' then
    return query select 0, in_batch, standing;
    return;
  end if;
  for place, id, verdict in
    select i.* from errand.insert(in_now, in_slot, in_kinds, ids, kinds, queues, tenants, priorities, run_ats, delays,
      expiries, deadlines, inputs, limits, helds, in_batch, items) as i
  loop
    there := there + 1;
    return next;
  end loop;
  if there > 0 then perform errand.place_items(in_batch, ids, items); end if;
  perform errand.filled(in_now, in_batch, cardinality(ids) - there);
end $$;

create function errand.fill_named(
  in_now bigint, in_slot integer, in_kinds jsonb, jobs jsonb, in_batch uuid, ids uuid[], items integer[]
) returns table (id uuid, verdict text) language plpgsql set enable_seqscan = off as $$
#variable_conflict use_column
declare
  standing text := errand.takes(in_batch);
  many integer := 0;
begin
  if standing <> 'open' then
    return query select in_batch, standing;
    return;
  end if;
  for id, verdict in select i.* from errand.insert_jobs(in_now, in_slot, in_kinds, jobs) as i loop
    if verdict is null then many := many + 1; end if;
    return next;
  end loop;
  perform errand.place_items(in_batch, ids, items);
  perform errand.filled(in_now, in_batch, many);
end $$;

-- Those that were stored one by one do not know where they stand.
create function errand.place_items(in_batch uuid, ids uuid[], items integer[]) returns void language sql
set enable_seqscan = off
begin atomic
  update errand.job as j set batch = in_batch, item = g.item from unnest(ids, items) as g (id, item)
  where j.id = g.id and j.batch is null;
end;

create function errand.tell_batches(now bigint, told errand.told[]) returns errand.move[] language plpgsql
set enable_seqscan = off as $$
declare
  one record;
  moves errand.move[];
begin
  for one in
    select t.batch, coalesce(sum(t.count) filter (where t.state = 4), 0) as completed, sum(t.warned) as warned,
      coalesce(sum(t.count) filter (where t.state = 5), 0) as failed,
      coalesce(sum(t.count) filter (where t.state = 6), 0) as cancelled,
      coalesce(sum(t.count) filter (where t.state = -1), 0) as erased
    from unnest(told) as t where t.batch is not null group by t.batch order by t.batch
  loop
    update errand.batch as b
    set completed = b.completed + one.completed, with_errors = b.with_errors + one.warned,
      failed = b.failed + one.failed, cancelled = b.cancelled + one.cancelled, erased = b.erased + one.erased
    where b.id = one.batch;
    if found then moves := moves || errand.judge(now, one.batch); end if;
  end loop;
  return moves;
end $$;

-- Whether too many have failed; whether it has ended, then with the job at its end; or is open again.
create function errand.judge(now bigint, in_id uuid) returns errand.move[] language plpgsql
set enable_seqscan = off as $$
declare
  b errand.batch;
  last errand.new_job;
  moves errand.move[];
begin
  select * into b from errand.batch as t where t.id = in_id for update;
  if not found then return null; end if;
  if b.failed > b.failed_max and b.stopped is null and b.ended_at is null then
    b.closed_at := coalesce(b.closed_at, now);
    update errand.batch as t set stopped = 'failures', closed_at = b.closed_at where t.id = in_id;
  end if;
  if b.completed + b.failed + b.cancelled < b.items then
    if b.ended_at is not null then
      update errand.batch as t set ended_at = null, purge_at = null, stopped = null where t.id = in_id;
    end if;
  elsif b.ended_at is null and b.closed_at is not null then
    update errand.batch as t set ended_at = now, purge_at = now + t.keep_ms, endings = t.endings + 1 where t.id = in_id;
    if b.end_job is null then return null; end if;
    last := jsonb_populate_record(null::errand.new_job, b.end_job);
    last.id := left(last.id::text, 32) || lpad(to_hex(least(b.endings + 1, 65535)), 4, '0');
    select one.moves into moves from errand.insert_any(now, last, b.end_job -> 'limits', false, null) as one;
  end if;
  return moves;
end $$;

-- Those that are stopped and have not ended, after those are stopped to which nothing came for long.
create function errand.stopped_batches(in_now bigint, in_slot integer, idle_ms bigint)
returns setof errand.batch language plpgsql set enable_seqscan = off as $$
declare
  now bigint := errand.clock(in_now);
  one uuid;
begin
  for one in
    select b.id from errand.batch as b where b.closed_at is null and b.filled_at <= now - idle_ms
    order by b.id limit 100
  loop
    perform errand.change_batch(in_now, in_slot, one, '{"to": "stopped", "why": "unclosed"}', '[]');
  end loop;
  return query select * from errand.batch as b where b.stopped is not null and b.ended_at is null order by b.turn limit 100;
end $$;

-- One stays for as long as its items are kept, or its last job, which may be given another life.
create function errand.purge_batches(now bigint) returns void language plpgsql set enable_seqscan = off as $$
declare
  ripe uuid[] := array(select b.id from errand.batch as b where b.purge_at <= now order by b.purge_at limit 100);
begin
  delete from errand.batch as b where b.id = any(ripe) and b.erased >= b.items
    and not exists (select from errand.job as j where j.subject = b.id)
    and not exists (select from errand.ended as e where e.subject = b.id and e.state > 4);
  update errand.batch as b set purge_at = now + 600000 where b.id = any(ripe);
end $$;

-- Of one that is stopped no item is begun any more: whoever is handed one settles it as cancelled.
create function errand.is_stopped(in_batch uuid) returns boolean language sql stable
begin atomic
  select exists (select from errand.batch where id = in_batch and stopped is not null);
end;
