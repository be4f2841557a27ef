-- put: changes what is kept under names, each entry together with its jobs (C18).
--
-- In      the kinds of the jobs; changes, each with its jobs as rows of new_job; how many entries are taken of a kind
-- Out     for each change its answer and those of its jobs
-- Cost    two index steps a change, those of insert_jobs a job; one look at all of its kind for an entry that is new
-- Beware  two that put new entries at once may pass the bound by one. Jobs of a repeat are in, and may have gone since

create function errand.put(in_now bigint, in_slot integer, in_kinds jsonb, changes jsonb, entries_max integer)
returns table (place bigint, answer text, jobs jsonb) language plpgsql
set lock_timeout = 0 set enable_seqscan = off set jit = off as $$
#variable_conflict use_column
declare
  now bigint := errand.clock(in_now);
  change record;
  done record;
  moves errand.move[];
  is_sooner boolean := false;
  is_resumed boolean := false;
begin
  perform errand.learn(in_kinds);
  set local lock_timeout = '500ms';
  -- In one order for everybody, so that no two wait for each other.
  perform from errand.entry as e join jsonb_to_recordset(changes) as c (kind text, name text) using (kind, name)
  order by e.kind, e.name for update of e;
  for change in
    select c.value, c.place from jsonb_array_elements(changes) with ordinality as c (value, place)
  loop
    place := change.place;
    -- A job that an open transaction stands before undoes its own change, and no other.
    begin
      select * into done from errand.put_one(now, change.value, entries_max);
      answer := done.answer;
      jobs := done.jobs;
      moves := moves || done.moves;
      is_sooner := is_sooner or done.is_sooner;
      is_resumed := is_resumed
        or (done.answer = 'put' and change.value ->> 'kind' = 'pause' and not change.value ? 'value');
    exception when lock_not_available then
      answer := 'busy';
      jobs := '[]';
      set local lock_timeout = '2ms';
    end;
    return next;
  end loop;
  if moves is not null then
    set local lock_timeout = 0;
    perform errand.count(in_slot, moves);
  end if;
  if moves is not null or is_resumed then perform pg_notify('errand_ready', ''); end if;
  if is_sooner then perform pg_notify('errand_entry', ''); end if;
end $$;

create function errand.put_one(now bigint, change jsonb, entries_max integer,
  out answer text, out jobs jsonb, out moves errand.move[], out is_sooner boolean) language plpgsql
set enable_seqscan = off as $$
declare
  there errand.entry;
  new errand.entry := jsonb_populate_record(null::errand.entry, change);
  given jsonb;
  one record;
begin
  jobs := '[]';
  is_sooner := false;
  select * into there from errand.entry as e where e.kind = new.kind and e.name = new.name for update;
  if there.stamp = new.stamp or (there.stamp is null and new.value is null) then
    answer := 'repeated';
    return;
  end if;
  answer := 'changed';
  if there.stamp is distinct from (change ->> 'expect')::uuid then return; end if;
  if new.value is null then
    delete from errand.entry as e where e.kind = new.kind and e.name = new.name;
  elsif there.stamp is not null then
    update errand.entry as e set stamp = new.stamp, at = new.at, value = new.value
    where e.kind = new.kind and e.name = new.name;
  else
    if (select count(*) from errand.entry as e where e.kind = new.kind) >= entries_max then
      answer := 'full';
      return;
    end if;
    insert into errand.entry (kind, name, stamp, at, value)
    values (new.kind, new.name, new.stamp, new.at, new.value) on conflict do nothing;
    -- Another was faster.
    if not found then return; end if;
  end if;
  answer := 'put';
  is_sooner := there.stamp is null or new.value is null or coalesce(new.at < coalesce(there.at, new.at + 1), false);
  for given in select g.value from jsonb_array_elements(change -> 'jobs') as g loop
    select * into one from errand.insert_any(
      now, jsonb_populate_record(null::errand.new_job, given), given -> 'limits', given ? 'fair', false, moves);
    jobs := jobs || jsonb_build_object('id', one.id, 'verdict', one.verdict);
    moves := moves || one.moves;
  end loop;
end $$;
