-- batch: items followed together (C16).
--
-- In      a batch and its change; items of one; what a call has done to items, gathered
-- Out     the batch as it stands; what was not simply stored; the moves to be counted
-- Cost    one row a batch and call, however many of its items ended in it
-- Beware  rows of batches are locked after those of jobs and the lock of limits, which the job at their end may need, in
--         the order of their ids, and before counters; one that has ended is open again when an item of it is given
--         another life

create function errand.change_batch(in_now bigint, in_slot integer, in_id uuid, change jsonb, in_kinds jsonb)
returns setof errand.batch language plpgsql set enable_seqscan = off as $$
declare
  now bigint := errand.clock(in_now);
  new jsonb := change -> 'batch';
  moves errand.move[];
  is_news boolean := false;
  known errand.batch;
begin
  perform errand.learn(in_kinds);
  perform errand.lock_limits() from errand.batch as b where b.id = in_id and b.end_job ? 'limits';
  if change ->> 'to' = 'open' then
    insert into errand.batch (id, job, tenant, created_at, filled_at, keep_ms, failed_max, fingerprint, end_job)
    values (in_id, new ->> 'job', new ->> 'tenant', now, now, (new ->> 'keep_ms')::bigint,
      (new ->> 'failed_max')::integer, new ->> 'fingerprint', nullif(new -> 'end', 'null'))
    on conflict (id) do nothing;
  elsif change ->> 'to' = 'closed' then
    update errand.batch as b
    set closed_at = now, failed_max = coalesce((change ->> 'failed_max')::integer, b.failed_max)
    where b.id = in_id and b.closed_at is null;
    is_news := found;
  else
    perform errand.stop(now, in_id, change ->> 'why');
  end if;
  select * into known from errand.batch as b where b.id = in_id for update;
  if not found then return; end if;
  moves := errand.judge(now, known, is_news);
  perform errand.count_ready(in_slot, moves);
  return query select * from errand.batch as b where b.id = in_id;
end $$;

create function errand.stop(now bigint, in_id uuid, why text) returns void language plpgsql
set enable_seqscan = off as $$
begin
  update errand.batch as b set stopped = why, closed_at = coalesce(b.closed_at, now)
  where b.id = in_id and b.stopped is null and b.ended_at is null;
  if found then perform pg_notify('errand_change', ''); end if;
end $$;

-- Items are stored before their batch is looked at, and undone when it takes no more: those that end at the same
-- time are locked before it, too.
create function errand.fill(
  in_now bigint, in_slot integer, in_kinds jsonb, ids uuid[], kinds bigint[], queues text[], tenants text[],
  priorities smallint[], run_ats bigint[], delays bigint[], expiries bigint[],
  deadlines bigint[], inputs bytea[], limits jsonb[], helds text[], in_batch uuid, items integer[]
) returns table (place integer, id uuid, verdict text) language plpgsql as $$
declare
  now bigint := errand.clock(in_now);
  stored record;
  standing text;
begin
  perform errand.learn(in_kinds);
  begin
    select * into stored from errand.insert_plain(now, ids, kinds, queues, tenants, priorities, run_ats, delays,
      expiries, deadlines, inputs, limits, helds, in_batch, items);
    stored.moves := errand.limited(stored.moves);
    standing := errand.filled(now, in_batch, cardinality(ids) - coalesce(cardinality(stored.places), 0));
    if standing <> 'open' then raise exception using errcode = 'ER001'; end if;
  exception when sqlstate 'ER001' then
    return query select 0, in_batch, standing;
    return;
  end;
  perform errand.count_ready(in_slot, stored.moves);
  if stored.places is not null then
    return query select * from unnest(stored.places, stored.known, stored.verdicts);
  end if;
end $$;

create function errand.fill_named(
  in_now bigint, in_slot integer, in_kinds jsonb, jobs jsonb, in_batch uuid, ids uuid[], items integer[]
) returns table (id uuid, verdict text) language plpgsql set lock_timeout = 0 as $$
declare
  now bigint := errand.clock(in_now);
  stored record;
  standing text;
begin
  perform errand.learn(in_kinds);
  begin
    set local lock_timeout = '500ms';
    select * into stored from errand.insert_json(now, jobs, true);
    perform errand.place_items(in_batch, ids, items, stored.verdicts);
    set local lock_timeout = 0;
    stored.moves := errand.limited(stored.moves);
    standing := errand.filled(now, in_batch, (select count(*) from unnest(stored.verdicts) as v where v is null)::integer);
    if standing <> 'open' then raise exception using errcode = 'ER001'; end if;
  exception when sqlstate 'ER001' then
    return query select in_batch, standing;
    return;
  end;
  perform errand.count_ready(in_slot, stored.moves);
  return query select * from unnest(stored.ids, stored.verdicts);
end $$;

-- Counts items that were just stored; `gone` or `closed`: it takes none.
create function errand.filled(now bigint, in_batch uuid, many integer) returns text language plpgsql
set enable_seqscan = off as $$
begin
  update errand.batch as b set items = b.items + many, filled_at = now where b.id = in_batch and b.closed_at is null;
  if found then return 'open'; end if;
  return case when exists (select from errand.batch as b where b.id = in_batch) then 'closed' else 'gone' end;
end $$;

-- Those that were stored one by one do not know where they stand. What was here before is none of them.
create function errand.place_items(in_batch uuid, ids uuid[], items integer[], verdicts text[]) returns void language sql
set enable_seqscan = off
begin atomic
  update errand.job as j set batch = in_batch, item = g.item from unnest(ids, items, verdicts) as g (id, item, verdict)
  where j.id = g.id and g.verdict is null;
end;

create function errand.tell_batches(now bigint, told errand.told[]) returns errand.move[] language plpgsql
set enable_seqscan = off as $$
declare
  one record;
  known errand.batch;
  moves errand.move[];
begin
  -- The job at the end of one may have limits: their lock comes before any batch.
  if exists (select from unnest(told) as t join errand.batch as b on b.id = t.batch where b.end_job ? 'limits') then
    perform errand.lock_limits();
  end if;
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
    where b.id = one.batch returning b.* into known;
    if found then moves := moves || errand.judge(now, known, one.failed > 0); end if;
  end loop;
  return moves;
end $$;

-- Whether too many have failed; whether it has ended, then with the job at its end; or is open again. Failures of
-- old stop nobody: where many items are given another life, too many are left at first.
create function errand.judge(now bigint, b errand.batch, is_news boolean) returns errand.move[] language plpgsql
set enable_seqscan = off as $$
declare
  last errand.new_job;
  moves errand.move[];
begin
  if is_news and b.failed > b.failed_max then
    perform errand.stop(now, b.id, 'failures');
    b.closed_at := coalesce(b.closed_at, now);
  end if;
  if b.completed + b.failed + b.cancelled < b.items then
    if b.ended_at is not null then
      update errand.batch as t set ended_at = null, purge_at = null, stopped = null where t.id = b.id;
    end if;
  elsif b.ended_at is null and b.closed_at is not null then
    update errand.batch as t set ended_at = now, purge_at = now + t.keep_ms, endings = t.endings + 1 where t.id = b.id;
    perform pg_notify('errand_change', '');
    if b.end_job is null then return null; end if;
    last := jsonb_populate_record(null::errand.new_job, b.end_job);
    last.id := left(last.id::text, 32) || lpad(to_hex(least(b.endings + 1, 65535)), 4, '0');
    select one.moves into moves
    from errand.insert_any(now, last, b.end_job -> 'limits', b.end_job ? 'fair', false, null) as one;
  end if;
  return moves;
end $$;

-- Those that are stopped and have not ended, after those are stopped to which nothing came for long.
create function errand.stopped_batches(in_now bigint, in_slot integer, idle_ms bigint)
returns setof errand.batch language plpgsql set enable_seqscan = off as $$
declare
  now bigint := errand.clock(in_now);
  one uuid;
  moves errand.move[];
begin
  perform errand.lock_limits() where exists (
    select from errand.batch as b where b.closed_at is null and b.filled_at <= now - idle_ms and b.end_job ? 'limits');
  -- One that is being filled just now is not idle.
  for one in
    select b.id from errand.batch as b where b.closed_at is null and b.filled_at <= now - idle_ms
    order by b.id limit 100 for update skip locked
  loop
    perform errand.stop(now, one, 'unclosed');
    moves := moves || (select errand.judge(now, b, false) from errand.batch as b where b.id = one);
  end loop;
  perform errand.count_ready(in_slot, moves);
  return query select * from errand.batch as b where b.stopped is not null and b.ended_at is null order by b.turn limit 100;
end $$;

-- One stays for as long as its items are kept, or its last job, which may be given another life.
create function errand.purge_batches(now bigint) returns void language plpgsql set enable_seqscan = off as $$
declare
  ripe uuid[];
begin
  select array_agg(b.id) into ripe from (
    select b.id from errand.batch as b where b.purge_at <= now order by b.purge_at limit 100 for update skip locked
  ) as b;
  delete from errand.batch as b where b.id = any(ripe) and b.erased >= b.items
    and not exists (select from errand.job as j where j.subject = b.id)
    and not exists (select from errand.ended as e where e.subject = b.id and e.state > 4);
  update errand.batch as b set purge_at = now + 600000 where b.id = any(ripe);
end $$;

-- Those of whose items none is begun any more: whoever is handed one is asked to end it.
create function errand.stopped() returns setof uuid language sql stable
begin atomic
  select b.id from errand.batch as b where b.stopped is not null and b.ended_at is null;
end;
