-- enlist, around, fold: jobs that come in with a transaction of the caller's, and those beside it (C1, C8).
--
-- In      the database we know; whether it is sure to have the kinds; jobs as rows of new_job
-- Out     as insert_jobs; or one row without an id, when nothing was done: 'other' database, 'unlearnt' kinds
-- Cost    as insert_jobs; one row of counters a queue and connection, until that is gone
-- Beware  such a transaction may stay open for minutes: all it locks is its own rows, and an id or a unique value that was given; its turns become visible late

create function errand.enlist(in_now bigint, in_identity uuid, in_sure boolean, in_jobs jsonb)
returns table (id text, verdict text) language plpgsql
set search_path = pg_catalog, pg_temp set enable_seqscan = off set jit = off as $$
declare
  now bigint := errand.clock(in_now);
  jobs errand.new_job[] := array(
    select jsonb_populate_record(null::errand.new_job, given.value) from jsonb_array_elements(in_jobs) as given);
  job errand.new_job;
  state smallint;
  moves errand.move[];
begin
  if not exists (select from errand.store as s where s.identity = in_identity) then
    verdict := 'other';
    return next;
    return;
  end if;
  -- Kinds are stored by a transaction of our own: in this one they would be locked, and undone with the rest.
  if not in_sure and exists (select from unnest(jobs) as j
    where not exists (select from errand.kind as k where k.id = j.kind)) then
    verdict := 'unlearnt';
    return next;
    return;
  end if;
  foreach job in array jobs loop
    state := errand.enlist_plain(now, job);
    id := job.id;
    verdict := null;
    if state is null then
      select one.id, one.verdict into id, verdict from errand.insert_one(now, job, false) as one;
      if verdict is null then
        perform errand.meet(job);
        select j.state into state from errand.job as j where j.id = job.id;
      end if;
    end if;
    if verdict is null then
      moves := moves || row (job.queue, -2, 1)::errand.move || row (job.queue, state, 1)::errand.move;
    end if;
    return next;
  end loop;
  if moves is not null then
    -- A row that no other connection writes.
    perform errand.count(-pg_backend_pid(), moves);
    perform pg_notify('errand_ready', '');
  end if;
end $$;

-- A job with an id of ours, which nobody else can have: its state, or null when it has to look at others.
-- What it does not read cannot fail to serialise.
create function errand.enlist_plain(now bigint, job errand.new_job) returns smallint language plpgsql as $$
declare
  due bigint := greatest(coalesce(job.run_at, now + coalesce(job.delay_ms, 0)), now);
  state smallint := case when due > now then 0 else 1 end;
  place bigint;
begin
  if job.fingerprint is not null or job.unique_value is not null
    or exists (select from errand.ended as e where e.id = job.id) then return null; end if;
  place := nextval('errand.turn');
  insert into errand.job (turn, id, kind, queue, tenant, priority, state, run_at, created_at,
    expires_at, deadline_at, tags, subject, input)
  values (place, job.id, job.kind, job.queue, job.tenant, job.priority, state, due, nullif(now, due),
    due + job.expires_in_ms, now + job.deadline_ms, job.tags, job.subject, job.input)
  on conflict on constraint job_id_key do nothing;
  if not found then return null; end if;
  insert into errand.tag (tag, turn, id) select distinct tag, place, job.id from unnest(job.tags) as tag;
  return state;
end $$;

-- Under a snapshot of the caller's nobody sees what came and ended since. Its entries in the indexes are met
-- all the same, and end the transaction as every conflict of that kind does (40001).
create function errand.meet(job errand.new_job) returns void language plpgsql as $$
begin
  if job.fingerprint is null or current_setting('transaction_isolation') = 'read committed' then return; end if;
  insert into errand.ended (turn, run_at, created_at, fence, ended_at, purge_at, kind, rev, state, priority, failures,
    crashes, losses, cancel_asked, with_errors, id, queue, tenant, input)
  values (0, 0, 0, 0, 0, 0, job.kind, 1, 4, 0, 0, 0, 0, false, false, job.id, '', '', '') on conflict do nothing;
  delete from errand.ended as e where e.id = job.id;
  insert into errand.alias (id, job, fingerprint, purge_at) values (job.id, job.id, job.fingerprint, 0)
  on conflict do nothing;
  delete from errand.alias as a where a.id = job.id and a.job = job.id;
end $$;

-- An insert that waited in vain, job by job: only those that another transaction still stands before are
-- refused. The first is given a moment more, the others hardly any.
create function errand.insert_around(in_now bigint, in_slot integer, in_kinds jsonb, in_jobs jsonb)
returns table (id uuid, verdict text) language plpgsql set lock_timeout = 0 as $$
declare
  now bigint := errand.clock(in_now);
  given jsonb;
  one record;
  moves errand.move[];
begin
  perform errand.learn(in_kinds);
  if errand.fair_of(in_jobs) is not null then perform errand.lock_fair(); end if;
  set local lock_timeout = '100ms';
  for given in select g.value from jsonb_array_elements(in_jobs) as g loop
    begin
      if given ? 'limits' then perform errand.lock_limits(); end if;
      select * into one from errand.insert_any(
        now, jsonb_populate_record(null::errand.new_job, given), given -> 'limits', given ? 'fair', true, moves);
      id := one.id;
      verdict := one.verdict;
      moves := moves || one.moves;
    exception when lock_not_available then
      id := (given ->> 'id')::uuid;
      verdict := 'STORE_BUSY';
      set local lock_timeout = '2ms';
    end;
    return next;
  end loop;
  set local lock_timeout = 0;
  perform errand.count_ready(in_slot, moves);
end $$;

-- Counters of connections that are gone go into one row a queue. Purges come one after the other, so that
-- nobody waits for it.
create function errand.fold() returns void language plpgsql as $$
begin
  with gone as (
    delete from errand.tally as t using (
      select f.queue, f.slot from errand.tally as f
      where f.slot < -1 and not exists (select from pg_stat_activity as a where a.pid = -f.slot)
      limit 1000 for update of f skip locked
    ) as f
    where t.queue = f.queue and t.slot = f.slot
    returning t.queue, t.accepted, t.scheduled, t.ready
  )
  insert into errand.tally as t (queue, slot, accepted, scheduled, ready)
  select gone.queue, -1, sum(gone.accepted), sum(gone.scheduled), sum(gone.ready) from gone group by gone.queue
  on conflict (queue, slot) do update set accepted = t.accepted + excluded.accepted,
    scheduled = t.scheduled + excluded.scheduled, ready = t.ready + excluded.ready;
end $$;
