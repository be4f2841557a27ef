-- register, renew, retire, note: workers come, stay, tell and go (C3, C5, C6, C13).
--
-- In      a worker's id; what it leaves of itself; notes as arrays, under the fences of their jobs
-- Out     whether it is alive, and the jobs whose cancel was asked; an answer per note
-- Cost    one row; the jobs with an asked cancel; an index step a note and a row a line or step
-- Beware  a lease that lapsed and came back is a new lease: its worker may not sweep for one TTL

create function errand.register(in_now bigint, in_worker uuid, lease bigint, in_info bytea)
returns void language plpgsql as $$
declare
  now bigint := errand.clock(in_now);
begin
  insert into errand.worker (id, lease_ms, lease_until, unbroken_from, registered_at, info)
  values (in_worker, lease, now + lease, now, now, in_info) on conflict do nothing;
  insert into errand.number (worker) values (in_worker) on conflict do nothing;
end $$;

create function errand.renew(in_now bigint, in_worker uuid, in_metrics bytea, out alive boolean, out asked uuid[])
language plpgsql set enable_seqscan = off set jit = off as $$
declare
  now bigint := errand.clock(in_now);
begin
  update errand.worker as w
  set unbroken_from = case when w.lease_until <= now then now else least(w.unbroken_from, now) end,
    lease_until = now + w.lease_ms, metrics = coalesce(in_metrics, w.metrics)
  where w.id = in_worker and w.gone_at is null;
  alive := found;
  select coalesce(array_agg(j.id), '{}') into asked from errand.job as j
  where j.worker = in_worker and j.cancel_asked and j.state = 2;
end $$;

create function errand.retire(in_now bigint, in_worker uuid) returns void language plpgsql as $$
declare
  now bigint := errand.clock(in_now);
begin
  update errand.worker as w set gone_at = coalesce(w.gone_at, now), lease_until = least(w.lease_until, now)
  where w.id = in_worker;
  -- Idle workers look again, and those entitled to sweep do.
  perform pg_notify('errand_ready', '');
end $$;

create function errand.note(
  in_now bigint, in_slot integer, in_worker uuid, ids uuid[], fences bigint[], progresses bytea[], lines jsonb,
  steps jsonb, in_kinds jsonb, children jsonb
) returns text[] language plpgsql set enable_seqscan = off set jit = off as $$
declare
  now bigint := errand.clock(in_now);
  answers text[] := '{}';
  moves errand.move[];
  last integer;
begin
  perform errand.learn(in_kinds);
  for place in 1 .. cardinality(ids) loop
    perform from errand.job as j
    where j.id = ids[place] and j.fence = fences[place] and j.worker = in_worker and j.state = 2 for update;
    if not found then
      answers := answers || errand.answer(ids[place], fences[place]);
      continue;
    end if;
    if progresses[place] is not null then
      update errand.job as j set progress = progresses[place], rev = j.rev + 1 where j.id = ids[place];
      perform pg_notify('errand_change', '');
    end if;
    if jsonb_array_length(lines -> (place - 1)) > 0 then
      select coalesce(max(l.n), 0) into last from errand.log as l where l.id = ids[place];
      -- A job keeps at most 1 000 lines: later ones are dropped.
      insert into errand.log (id, n, at, fence, level, text)
      select ids[place], last + given.n, (given.value ->> 'at')::bigint, fences[place], given.value ->> 'level',
        given.value ->> 'text'
      from jsonb_array_elements(lines -> (place - 1)) with ordinality as given (value, n)
      where last + given.n <= 1000;
    end if;
    if steps -> (place - 1) <> 'null' then
      perform errand.record(now, ids[place], steps -> (place - 1));
    end if;
    if children -> (place - 1) <> 'null' then
      moves := moves || errand.call_child(now, children -> (place - 1));
    end if;
    answers := answers || 'done'::text;
  end loop;
  if moves is not null then
    perform errand.count(in_slot, moves);
    perform pg_notify('errand_ready', ''), pg_notify('errand_change', '');
  end if;
  return answers;
end $$;

-- A step that is there stays as it is. Headway: what crashed before counts no more.
create function errand.record(now bigint, in_id uuid, step jsonb) returns void language plpgsql
set enable_seqscan = off as $$
begin
  insert into errand.step (id, name, n, at, value)
  select in_id, step ->> 'name', (select count(*) from errand.step as s where s.id = in_id), now,
    (step ->> 'value')::bytea
  on conflict do nothing;
  if found then
    update errand.job as j set crashes = null, rev = j.rev + 1 where j.id = in_id;
    perform pg_notify('errand_change', '');
  end if;
end $$;
