-- limit: places of keys, and the lines of those that wait for one (C17).
--
-- In      moves of keys, beside those of queues: 10 places, 11 that wait
-- Out     nothing
-- Cost    a row a key and call; one job admitted for each place that was given back
-- Beware  one call after the other, behind a lock that is taken when all rows of jobs are; whoever is held and locked is passed over for the moment

-- What a job with these limits does to its keys. None for places still looks at the lines.
create function errand.stir(limits jsonb, places integer, pending integer) returns errand.move[] language sql immutable
as $$
  select array_agg(row (l.value ->> 'key', what.code, what.count)::errand.move)
  from jsonb_array_elements(limits) as l,
    lateral (values (10::smallint, places, l.value ? 'running'), (11::smallint, pending, l.value ? 'pending'))
      as what (code, count, applies)
  where what.applies
$$;

create function errand.first_key(limits jsonb) returns text language sql immutable
as $$ select l.value ->> 'key' from jsonb_array_elements(limits) with ordinality as l (value, n)
  where l.value ? 'running' order by n limit 1 $$;

-- Gives a job that was just stored its limits: it is ready once it has its places.
create function errand.bind(in_id uuid, in_limits jsonb) returns errand.move[] language plpgsql
set enable_seqscan = off as $$
declare
  first text := errand.first_key(in_limits);
begin
  update errand.job as j
  set limits = in_limits, held = first, state = case when j.state = 1 and first is not null then -1 else j.state end
  where j.id = in_id;
  return errand.stir(in_limits, 0, 1);
end $$;

-- The key of which as many wait as may; `so_far` holds what this call has done to it.
create function errand.full_key(limits jsonb, so_far errand.move[]) returns text language plpgsql
set enable_seqscan = off as $$
declare
  one record;
begin
  for one in
    select l.key, l.pending from jsonb_to_recordset(limits) as l (key text, pending integer) where l.pending is not null
  loop
    if coalesce((select k.pending from errand.limit_key as k where k.key = one.key), 0)
      + coalesce((select sum(m.count) from unnest(so_far) as m where m.queue = one.key and m.state = 11), 0) >= one.pending
    then return one.key; end if;
  end loop;
  return null;
end $$;

create function errand.lock_limits() returns void language sql
begin atomic
  select pg_advisory_xact_lock(hashtext('errand.limits'));
end;

create function errand.limit(moves errand.move[]) returns void language plpgsql set enable_seqscan = off as $$
declare
  one record;
  keys text[] := '{}';
  key_now text;
  next_key text;
  place integer := 1;
begin
  perform errand.lock_limits();
  for one in
    select m.queue as key, coalesce(sum(m.count) filter (where m.state = 10), 0) as places,
      coalesce(sum(m.count) filter (where m.state = 11), 0) as pending, bool_or(m.state = 10) as has_places
    from unnest(moves) as m where m.state >= 10 group by m.queue order by m.queue
  loop
    if one.places <> 0 or one.pending <> 0 then
      insert into errand.limit_key as k (key, places, pending) values (one.key, one.places, one.pending)
      on conflict (key) do update set places = k.places + excluded.places, pending = k.pending + excluded.pending;
    end if;
    if one.has_places then keys := keys || one.key; end if;
  end loop;
  -- A job may move to the line of another key, which is looked at after this one.
  while place <= cardinality(keys) loop
    key_now := keys[place];
    loop
      next_key := errand.admit(key_now);
      exit when next_key is null;
      if next_key <> key_now and not next_key = any(keys[place + 1:]) then keys := keys || next_key; end if;
    end loop;
    place := place + 1;
  end loop;
  delete from errand.limit_key as k where k.places = 0 and k.pending = 0
    and k.key in (select m.queue from unnest(moves) as m where m.state >= 10);
end $$;

-- Does it now, and answers the moves that are left: before batches are locked, after jobs are.
create function errand.limited(moves errand.move[]) returns errand.move[] language plpgsql as $$
begin
  if not exists (select from unnest(moves) as m where m.state >= 10) then return moves; end if;
  perform errand.limit(moves);
  return (select array_agg(m) from unnest(moves) as m where m.state < 10);
end $$;

-- Admits the next of a line: the key itself when that was done, another where the job waits now, null when it is over.
create function errand.admit(in_key text) returns text language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off as $$
declare
  job record;
  full_one text;
begin
  select j.id, j.limits into job from errand.job as j where j.state = -1 and j.held = in_key
  order by (j.priority::bigint << 56 | j.run_at), j.turn limit 1 for update skip locked;
  if not found then return null; end if;
  select l.key into full_one from rows from (jsonb_to_recordset(job.limits) as (key text, running integer))
    with ordinality as l (key, running, n)
  where l.running is not null
    and coalesce((select k.places from errand.limit_key as k where k.key = l.key), 0) >= l.running
  order by l.n limit 1;
  if full_one = in_key then return null; end if;
  if full_one is not null then
    update errand.job as j set held = full_one where j.id = job.id;
    return full_one;
  end if;
  update errand.job as j set state = 1 where j.id = job.id;
  insert into errand.limit_key as k (key, places)
  select l.key, 1 from jsonb_to_recordset(job.limits) as l (key text, running integer) where l.running is not null
  on conflict (key) do update set places = k.places + 1;
  perform pg_notify('errand_ready', '');
  return in_key;
end $$;

-- A held job is ready to all who ask.
create function errand.shown(state smallint) returns smallint language sql immutable
return case when state = -1 then 1::smallint else state end;
