-- limit: places of keys, and the lines of those that wait for one (C17).
--
-- In      moves of keys, beside those of queues: 10 places, 11 that wait
-- Out     nothing
-- Cost    a row a key and call, five statements; some more for each job that moves to the line of another key
-- Beware  one call after the other, behind a lock that is taken when all rows of jobs are. Whoever is held and locked is
--         passed over: who locks one looks at its line before the end

-- What jobs with these limits do to their keys, each the same. Null where they do nothing; none for places
-- still looks at the lines.
create function errand.stir(in_limits jsonb[], in_places integer, in_pending integer) returns errand.move[] language plpgsql
set plan_cache_mode = force_generic_plan as $$
begin
  return (
    select array_agg(row (moved.key, moved.code, moved.count)::errand.move)
    from (
      select l.key, what.code, sum(what.count * alike.many)::integer as count
      from (select own, count(*) as many from unnest(in_limits) as own where own is not null group by own) as alike,
        jsonb_to_recordset(alike.own) as l (key text, running integer, pending integer),
        lateral (values (10::smallint, in_places, l.running), (11::smallint, in_pending, l.pending)) as what (code, count, bound)
      where what.count is not null and what.bound is not null
      group by l.key, what.code
    ) as moved
  );
end $$;

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
  return errand.stir(array[in_limits], 0, 1);
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

-- Whether so many more of these may wait; nobody else counts meanwhile.
create function errand.have_room(limits jsonb[]) returns boolean language plpgsql
set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
begin
  perform errand.lock_limits();
  return not exists (
    select from (
      select l.key, sum(alike.many) as many, min(l.pending) as most
      from (select own, count(*) as many from unnest(limits) as own where own is not null group by own) as alike,
        jsonb_to_recordset(alike.own) as l (key text, pending integer)
      where l.pending is not null group by l.key
    ) as asked left join errand.limit_key as k using (key)
    where coalesce(k.pending, 0) + asked.many > asked.most);
end $$;

-- Those that have their places stand in the line.
create function errand.seat(seated tid[]) returns void language plpgsql
set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
begin
  update errand.job as j set state = 1 where j.ctid = any(seated);
  if found then perform pg_notify('errand_ready', ''); end if;
end $$;

-- Who claims at once may be told of those that have their places now, and seats whom it leaves: a row is written once less.
create function errand.limit(moves errand.move[], is_claiming boolean default false) returns tid[] language plpgsql
set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  keys text[];
  key_now text;
  seated tid[];
  unseated tid[];
begin
  perform errand.lock_limits();
  insert into errand.limit_key as k (key, places, pending)
  select moved.* from (
    select m.queue, coalesce(sum(m.count) filter (where m.state = 10), 0) as places,
      coalesce(sum(m.count) filter (where m.state = 11), 0) as pending
    from unnest(moves) as m where m.state >= 10 group by m.queue order by m.queue
  ) as moved
  where moved.places <> 0 or moved.pending <> 0
  on conflict (key) do update set places = k.places + excluded.places, pending = k.pending + excluded.pending;

  keys := array(select distinct m.queue from unnest(moves) as m where m.state = 10);
  -- A full hand means that more may find a place; one by one each would look past all that were admitted before.
  while keys <> '{}' loop
    select f.going_on, f.seated into keys, seated from errand.admit_first(keys) as f;
    if is_claiming and keys = '{}' then
      unseated := nullif(seated, '{}');
      exit;
    end if;
    perform errand.seat(seated);
    exit when cardinality(seated) < 1000;
  end loop;
  foreach key_now in array keys loop
    while errand.admit(key_now) loop end loop;
  end loop;
  delete from errand.limit_key as k where k.places = 0 and k.pending = 0
    and k.key in (select m.queue from unnest(moves) as m where m.state >= 10);
  return unseated;
end $$;

-- Does it now, and answers the moves that are left: before batches are locked, after jobs are.
create function errand.limited(moves errand.move[]) returns errand.move[] language plpgsql as $$
begin
  if not exists (select from unnest(moves) as m where m.state >= 10) then return moves; end if;
  perform errand.limit(moves);
  return (select array_agg(m) from unnest(moves) as m where m.state < 10);
end $$;

-- Gives the first of each line their places, as many as find one of each of their keys: in one order over all lines, and
-- nobody before one of its own line. Answers where they lie, for `seat`, and the keys whose lines may go on: there one
-- after the other is looked at.
create function errand.admit_first(keys text[], out going_on text[], out seated tid[]) language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
set plan_cache_mode = force_generic_plan as $$
begin
  with line as materialized (
    select a.key, l.running - coalesce(k.places, 0) as free, head.limits,
      jsonb_array_length(head.limits) = 1 as is_alone
    from unnest(keys) as a (key) left join errand.limit_key as k on k.key = a.key
    cross join lateral (
      select j.limits from errand.job as j where j.state = -1 and j.held = a.key
      order by (j.priority::bigint << 56 | j.run_at), j.turn limit 1
    ) as head
    cross join lateral jsonb_to_recordset(head.limits) as l (key text, running integer)
    where l.key = a.key and l.running > coalesce(k.places, 0)
  ),
  next as materialized (
    select line.key as line, n.*, bool_and(line.is_alone and n.are_alike) over () as all_fit from line cross join lateral (
      select array_agg(one.place) as places, array_agg(one.limits) as limits, array_agg(one.rank) as ranks,
        array_agg(one.turn) as turns, bool_and(one.limits = line.limits) as are_alike
      from (
        select j.ctid as place, j.limits, (j.priority::bigint << 56 | j.run_at) as rank, j.turn
        from errand.job as j where j.state = -1 and j.held = line.key
        order by (j.priority::bigint << 56 | j.run_at), j.turn limit least(line.free, 1000) for update skip locked
      ) as one
    ) as n
  ),
  -- Only where some have several keys, or other numbers than the first of their line: else all of them fit.
  asked as (
    select n.place, n.limits, next.line, n.rank, n.turn,
      row_number() over (partition by l.key order by n.rank, n.turn) <= l.running - coalesce(k.places, 0) as fits
    from next cross join lateral unnest(next.places, next.limits, next.ranks, next.turns) as n (place, limits, rank, turn)
    cross join lateral jsonb_to_recordset(n.limits) as l (key text, running integer)
    left join errand.limit_key as k on k.key = l.key
    where l.running is not null and not next.all_fit
  ),
  fitting as materialized (
    select f.place, f.limits from (
      select a.place, a.limits, bool_and(bool_and(a.fits)) over (partition by a.line order by a.rank, a.turn) as fits
      from asked as a group by a.place, a.limits, a.line, a.rank, a.turn
    ) as f where f.fits
    union all
    select unnest(next.places), unnest(next.limits) from next where next.all_fit
  ),
  counted as (
    insert into errand.limit_key as k (key, places)
    select l.key, sum(alike.many)
    from (select f.limits, count(*) as many from fitting as f group by f.limits) as alike,
      jsonb_to_recordset(alike.limits) as l (key text, running integer)
    where l.running is not null group by l.key order by l.key
    on conflict (key) do update set places = k.places + excluded.places
  )
  select coalesce(array_agg(f.place), '{}') into seated from fitting as f;
  going_on := array(
    select a.key from unnest(keys) as a (key) left join errand.limit_key as k on k.key = a.key
    cross join lateral (
      select j.limits from errand.job as j where j.state = -1 and j.held = a.key and j.ctid <> all(seated)
      order by (j.priority::bigint << 56 | j.run_at), j.turn limit 1
    ) as h
    where exists (
      select from jsonb_to_recordset(h.limits) as l (key text, running integer)
      where l.key = a.key and l.running > coalesce(k.places, 0)));
end $$;

-- Admits the next of a line, or moves it to the line of another of its keys that has no place; false when neither may be.
create function errand.admit(in_key text) returns boolean language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off as $$
declare
  job record;
  full_one text;
begin
  select j.id, j.limits into job from errand.job as j where j.state = -1 and j.held = in_key
  order by (j.priority::bigint << 56 | j.run_at), j.turn limit 1 for update skip locked;
  if not found then return false; end if;
  select l.key into full_one from rows from (jsonb_to_recordset(job.limits) as (key text, running integer))
    with ordinality as l (key, running, n)
  where l.running is not null
    and coalesce((select k.places from errand.limit_key as k where k.key = l.key), 0) >= l.running
  order by l.key <> in_key, l.n limit 1; -- Who may stay in its line does: it keeps its turn there.
  if full_one = in_key then return false; end if;
  if full_one is not null then
    update errand.job as j set held = full_one where j.id = job.id;
    return true;
  end if;
  update errand.job as j set state = 1 where j.id = job.id;
  insert into errand.limit_key as k (key, places)
  select l.key, 1 from jsonb_to_recordset(job.limits) as l (key text, running integer) where l.running is not null
  on conflict (key) do update set places = k.places + 1;
  perform pg_notify('errand_ready', '');
  return true;
end $$;

-- The line of a job that we have locked: whoever handed places on meanwhile passed it over.
create function errand.passed_over(in_id uuid) returns errand.move[] language plpgsql set enable_seqscan = off as $$
begin
  return (select array[row (j.held, 10, 0)::errand.move] from errand.job as j where j.id = in_id and j.state = -1);
end $$;

-- A held job is ready to all who ask.
create function errand.shown(state smallint) returns smallint language sql immutable
return case when state = -1 then 1::smallint else state end;
