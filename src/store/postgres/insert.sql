-- insert: stores jobs, or finds the ones they repeat (C8).
--
-- In      the kinds they are of; arrays, one element a job, or rows of new_job when one of them looks up others
-- Out     what was not simply stored: its place, and the job that was there first
-- Cost    four index steps a job; one more for an id or a unique value that was given
-- Beware  an id moves from `job` to `ended` in another transaction: only a look after the insert is sure

-- What these jobs share, where it is not here yet.
create function errand.learn(in_kinds jsonb) returns void language plpgsql
set plan_cache_mode = force_generic_plan as $$
begin
  if in_kinds = '[]' then return; end if;
  insert into errand.kind (id, name, queue, policy)
  select given.* from jsonb_to_recordset(in_kinds) as given (id bigint, name text, queue text, policy bytea)
  where not exists (select from errand.kind as k where k.id = given.id)
  on conflict do nothing;
end $$;

create function errand.insert(
  in_now bigint, in_slot integer, in_kinds jsonb, ids uuid[], kinds bigint[], queues text[], tenants text[],
  priorities smallint[], run_ats bigint[], delays bigint[], expiries bigint[], deadlines bigint[], inputs bytea[],
  limits jsonb[], helds text[]
) returns table (place integer, id uuid, verdict text) language plpgsql as $$
declare
  stored record;
begin
  perform errand.learn(in_kinds);
  select * into stored from errand.insert_plain(errand.clock(in_now), ids, kinds, queues, tenants, priorities, run_ats,
    delays, expiries, deadlines, inputs, limits, helds, null, null);
  perform errand.count_ready(in_slot, stored.moves);
  if stored.places is not null then
    return query select * from unnest(stored.places, stored.known, stored.verdicts);
  end if;
end $$;

-- Jobs that look up no other, of one batch where that is given. `places`, `known`, `verdicts`: of those that were
-- not simply stored.
create function errand.insert_plain(
  now bigint, ids uuid[], kinds bigint[], queues text[], tenants text[], priorities smallint[], run_ats bigint[],
  delays bigint[], expiries bigint[], deadlines bigint[], inputs bytea[], limits jsonb[], helds text[],
  in_batch uuid, items integer[],
  out moves errand.move[], out places integer[], out known uuid[], out verdicts text[]
) language plpgsql set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  each record;
  stirred errand.move[];
begin
  -- None of them is here, as a rule: only when one is does each have to be looked for.
  begin
    with given as (
      select *, greatest(coalesce(run_at, now + coalesce(delay_ms, 0)), now) as due
      from unnest(ids, kinds, queues, tenants, priorities, run_ats, delays, expiries, deadlines, inputs, items, limits, helds)
        with ordinality as g (id, kind, queue, tenant, priority, run_at, delay_ms, expires_in_ms, deadline_ms, input, item,
          own_limits, held, n)
    ),
    stored as (
      insert into errand.job (turn, id, kind, queue, tenant, priority, state, run_at, created_at,
        expires_at, deadline_at, batch, item, input, limits, held)
      select nextval('errand.turn'), id, kind, queue, tenant, priority,
        case when due > now then 0 when held is null then 1 else -1 end, due, nullif(now, due), due + expires_in_ms,
        now + deadline_ms, in_batch, item, input, own_limits, held
      from given order by n
      returning queue, abs(state) as state
    ),
    counted as (select queue, state, count(*)::integer as n from stored group by queue, state)
    select array_agg(row (queue, what, n)::errand.move)
    into moves from counted, unnest(array[state, -2]) as what;
    if exists (select from errand.ended as e where e.id = any(ids)) then raise unique_violation; end if;
    if limits is not null then
      stirred := errand.stir(limits, null, 1);
      if stirred is not null and not errand.have_room(limits) then raise exception using errcode = 'ER429'; end if;
      moves := moves || stirred
        || array(select distinct row (h.held, 10, 0)::errand.move from unnest(helds) as h (held) where h.held is not null);
    end if;
  exception when unique_violation or sqlstate 'ER429' then
    select * into each from errand.insert_each(now, array(
      select (g.id, g.kind, null, g.queue, g.tenant, g.priority, g.run_at, g.delay_ms, g.expires_in_ms, g.deadline_ms,
        null, null, null, null, null, null, g.input)::errand.new_job
      from unnest(ids, kinds, queues, tenants, priorities, run_ats, delays, expiries, deadlines, inputs)
        with ordinality as g (id, kind, queue, tenant, priority, run_at, delay_ms, expires_in_ms, deadline_ms, input, n)
      order by g.n), (select jsonb_object_agg(l.n, l.own) from unnest(limits) with ordinality as l (own, n)
        where l.own is not null), null, true);
    moves := each.moves;
    select array_agg(g.place::integer), array_agg(g.id), array_agg(g.verdict) into places, known, verdicts
    from unnest(each.ids, each.verdicts) with ordinality as g (id, verdict, place) where g.verdict is not null;
    if in_batch is not null then perform errand.place_items(in_batch, ids, items, each.verdicts); end if;
  end;
end $$;

-- One job that may join another. `verdict`: null stored, 'joined', 'mine' (a repeat by its maker), a refusal.
create function errand.insert_one(now bigint, job errand.new_job, fairly boolean, out id uuid, out verdict text)
language plpgsql set enable_seqscan = off set jit = off as $$
declare
  there record;
  due bigint := greatest(coalesce(job.run_at, now + coalesce(job.delay_ms, 0)), now);
  place bigint;
  stands_at bigint;
begin
  -- An id that is there is its own job, whoever holds the unique value by now.
  loop
    select j.fingerprint into there from errand.job as j where j.id = job.id
    union all select e.fingerprint from errand.ended as e where e.id = job.id;
    if found then
      id := job.id;
      verdict := case when there.fingerprint is distinct from job.fingerprint then 'ID_TAKEN'
        when job.fingerprint is null then 'mine' else 'joined' end;
      return;
    end if;
    if job.fingerprint is not null then
      select a.job, a.fingerprint into there from errand.alias as a where a.id = job.id
        -- One that names itself is of a job that was erased.
        and (a.job = a.id or exists (select from errand.job as j where j.id = a.job)
          or exists (select from errand.ended as e where e.id = a.job));
      if found then
        id := case when there.fingerprint = job.fingerprint then there.job else job.id end;
        verdict := case when there.fingerprint <> job.fingerprint then 'ID_TAKEN'
          when there.job = job.id then 'JOB_ERASED' else 'joined' end;
        return;
      end if;
    end if;
    if job.unique_value is not null then
      insert into errand.hold (tenant, name, value, id)
      values (job.tenant, job.name, job.unique_value, job.id) on conflict do nothing;
      if not found then
        select h.id into there from errand.hold as h
        where h.tenant = job.tenant and h.name = job.name and h.value = job.unique_value;
        continue when not found; -- Given back this moment: ours to take.
        id := there.id;
        if job.on_conflict = 'refuse' then verdict := 'UNIQUE_TAKEN'; return; end if;
        if job.fingerprint is not null then
          insert into errand.alias (id, job, fingerprint, purge_at)
          values (job.id, there.id, job.fingerprint, now + 86400000)
          on conflict on constraint alias_pkey do update
          set job = excluded.job, fingerprint = excluded.fingerprint, purge_at = excluded.purge_at;
        end if;
        verdict := 'joined';
        return;
      end if;
    end if;
    place := nextval('errand.turn');
    stands_at := case when fairly and due <= now then errand.fair_moment(now, job) else due end;
    insert into errand.job (turn, id, kind, queue, tenant, priority, state, run_at, created_at,
      expires_at, deadline_at, fingerprint, unique_value, unique_until, tags, subject, input)
    values (place, job.id, job.kind, job.queue, job.tenant, job.priority,
      case when due > now then 0 else 1 end, stands_at, nullif(now, stands_at), due + job.expires_in_ms,
      now + job.deadline_ms, job.fingerprint, job.unique_value, job.unique_until, job.tags, job.subject, job.input)
    on conflict on constraint job_id_key do nothing;
    if found and not exists (select from errand.ended as e where e.id = job.id) then
      insert into errand.tag (tag, turn, id) select distinct tag, place, job.id from unnest(job.tags) as tag;
      id := job.id;
      return;
    end if;
    -- Another was faster under this id: look again.
    delete from errand.job as j where j.turn = place;
    delete from errand.hold as h where h.tenant = job.tenant and h.name = job.name
      and h.value = job.unique_value and h.id = job.id
      and not exists (select from errand.job as j where j.id = job.id and j.unique_value = h.value);
  end loop;
end $$;

-- One job and its limits. `strictly`: it is refused when as many wait as may; what an end brings never is.
create function errand.insert_any(
  now bigint, job errand.new_job, limits jsonb, fairly boolean, strictly boolean, so_far errand.move[],
  out id uuid, out verdict text, out moves errand.move[]
) language plpgsql set enable_seqscan = off as $$
declare
  full_one text;
begin
  if strictly then full_one := errand.full_key(limits, so_far); end if;
  if full_one is null then
    select one.id, one.verdict into id, verdict from errand.insert_one(now, job, fairly) as one;
  else
    -- Only one that is here already is answered as ever: what was stored is taken back.
    begin
      select one.id, one.verdict into id, verdict from errand.insert_one(now, job, fairly) as one;
      if verdict is null then raise exception using errcode = 'ER429'; end if;
    exception when sqlstate 'ER429' then
      id := job.id;
      verdict := 'LIMIT_REACHED ' || full_one;
    end;
  end if;
  if verdict is not null then return; end if;
  if limits is not null then moves := errand.bind(job.id, limits); end if;
  moves := moves || row (job.queue, -2, 1)::errand.move
    || (select row (j.queue, errand.shown(j.state), 1)::errand.move from errand.job as j where j.id = job.id);
end $$;

-- One after the other; whoever calls counts the moves, after all that it locks. `limits`: those of each job that has
-- some, by its place; `fair`: the places of those that leave by their tenant's turn.
create function errand.insert_each(
  now bigint, jobs errand.new_job[], limits jsonb default null, fair bigint[] default null, strictly boolean default false,
  out ids uuid[], out verdicts text[], out moves errand.move[]
) language plpgsql as $$
declare
  one record;
begin
  if fair is not null then perform errand.lock_fair(); end if;
  if strictly and limits is not null then perform errand.lock_limits(); end if;
  for place in 1 .. cardinality(jobs) loop
    select * into one from errand.insert_any(
      now, jobs[place], limits -> place::text, place = any(fair), strictly, moves);
    ids := ids || one.id;
    verdicts := verdicts || one.verdict;
    moves := moves || one.moves;
  end loop;
end $$;

-- Of jobs in JSON those that have limits, by their place.
create function errand.limits_of(jobs jsonb) returns jsonb language sql immutable
as $$ select jsonb_object_agg(n, value -> 'limits') from jsonb_array_elements(jobs) with ordinality as j (value, n)
  where value ? 'limits' $$;

-- Of jobs in JSON the places of those that leave by their tenant's turn.
create function errand.fair_of(jobs jsonb) returns bigint[] language sql immutable
as $$ select array_agg(n) from jsonb_array_elements(jobs) with ordinality as j (value, n) where value ? 'fair' $$;

-- The same for jobs in JSON, with their limits and turns.
create function errand.insert_json(
  now bigint, jobs jsonb, strictly boolean default false, out ids uuid[], out verdicts text[], out moves errand.move[]
) language plpgsql as $$
begin
  select e.ids, e.verdicts, e.moves into ids, verdicts, moves from errand.insert_each(now, array(
    select jsonb_populate_record(null::errand.new_job, given.value) from jsonb_array_elements(jobs) as given),
    errand.limits_of(jobs), errand.fair_of(jobs), strictly) as e;
end $$;

-- Unique values and ids of others are waited for a moment only: a transaction of a caller's may hold them for long.
create function errand.insert_jobs(in_now bigint, in_slot integer, in_kinds jsonb, jobs jsonb)
returns table (id uuid, verdict text) language plpgsql set lock_timeout = 0 as $$
declare
  stored record;
begin
  perform errand.learn(in_kinds);
  set local lock_timeout = '500ms';
  select * into stored from errand.insert_json(errand.clock(in_now), jobs, true);
  set local lock_timeout = 0;
  perform errand.count_ready(in_slot, stored.moves);
  return query select * from unnest(stored.ids, stored.verdicts);
end $$;
