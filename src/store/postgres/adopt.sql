-- adopt: stores jobs as they stood in another store, and says what those that are here already are (C7, C8, C10).
--
-- In      the kinds they are of; arrays, one element a job; `rest` holds what few jobs have
-- Out     a code a job, by place: 0 adopted, 1 already, 2 behind, 3 ID_TAKEN, 4 UNIQUE_TAKEN
-- Cost    five index steps a job, and one for each thing it left
-- Beware  an id may be in `job` or in `ended`, and no index holds both: others wait for the whole table

create function errand.adopt(
  in_slot integer, in_kinds jsonb, ids uuid[], kinds bigint[], states smallint[], priorities smallint[],
  revs integer[], fences bigint[], run_ats bigint[], created_ats bigint[], started_ats bigint[], ended_ats bigint[],
  kept_untils bigint[], expiries bigint[], deadlines bigint[], failures smallint[], crashes smallint[],
  losses smallint[], asked boolean[], with_errors boolean[], workers uuid[], subjects uuid[], parents uuid[], calls text[], queues text[],
  tenants text[], names text[], uniques text[], untils text[], fingerprints text[], waits text[], wakes bigint[], reasons text[],
  inputs bytea[], results bytea[], errors bytea[], progresses bytea[], rest jsonb
) returns smallint[] language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
as $$
#variable_conflict use_column
declare
  one record;
  stirred errand.move[];
  codes smallint[];
  turns bigint[];
  moves errand.move[];
  tagged jsonb := rest -> 'tags';
begin
  lock table errand.job in share row exclusive mode;
  perform errand.learn(in_kinds);
  select array_agg(
    case when there.id is null then (g.nth > 1)::integer
      when (there.kind, there.tenant, there.created_at) is distinct from (g.kind, g.tenant, g.created_at) then 3
      when there.rev < g.rev or coalesce(there.fence, 0) < g.fence then 2 else 1 end order by g.place)
  into codes
  from (
    select *, row_number() over (partition by id order by place) as nth
    from unnest(ids, kinds, tenants, created_ats, revs, fences)
      with ordinality as g (id, kind, tenant, created_at, rev, fence, place)
  ) as g
  left join lateral (
    select j.id, j.kind, j.tenant, coalesce(j.created_at, j.run_at) as created_at, j.rev, j.fence
    from errand.job as j where j.id = g.id
    union all
    select e.id, e.kind, e.tenant, e.created_at, e.rev, e.fence from errand.ended as e where e.id = g.id
  ) as there on true;

  if uniques is not null then
    insert into errand.hold (tenant, name, value, id)
    select tenant, name, value, id from unnest(ids, states, tenants, names, uniques, untils)
      with ordinality as g (id, state, tenant, name, value, until, place)
    where codes[place] = 0 and value is not null and (state < 4 or (state = 4 and until = 'kept'))
    order by place on conflict do nothing;
    select array_agg(case when codes[place] = 0 and value is not null
      and (state < 4 or (state = 4 and until = 'kept')) and not exists (
        select from errand.hold as h where h.tenant = g.tenant and h.name = g.name and h.value = g.value and h.id = g.id)
      then 4 else codes[place] end order by place)
    into codes from unnest(ids, states, tenants, names, uniques, untils)
      with ordinality as g (id, state, tenant, name, value, until, place);
  end if;
  turns := array(select nextval('errand.turn') from generate_series(1, cardinality(ids)));

  insert into errand.job (turn, run_at, created_at, fence, started_at, expires_at, deadline_at, kind, rev, state,
    priority, failures, crashes, losses, cancel_asked, id, worker, subject, parent, called, queue, tenant, unique_value, unique_until,
    fingerprint, waiting_for, wakes_at, tags, input, error, progress)
  select turns[place], run_at, case when fence > 0 then created_at else nullif(created_at, run_at) end, nullif(fence, 0), started_at, expires_at, deadline_at, kind,
    rev, state, priority, nullif(failed, 0), nullif(crashed, 0), nullif(lost, 0), is_asked, id, worker, subject, parent, called, queue, tenant, value, until,
    fingerprint, waiting_for, wakes_at, nullif(array(select jsonb_array_elements_text(tagged -> place::text)), '{}'), input, error, progress
  from unnest(ids, kinds, states, priorities, revs, fences, run_ats, created_ats, started_ats, expiries, deadlines,
    failures, crashes, losses, asked, workers, subjects, parents, calls, queues, tenants, uniques, untils, fingerprints, waits, wakes, inputs,
    errors, progresses) with ordinality as g (id, kind, state, priority, rev, fence, run_at, created_at, started_at,
    expires_at, deadline_at, failed, crashed, lost, is_asked, worker, subject, parent, called, queue, tenant, value, until,
    fingerprint, waiting_for, wakes_at, input, error, progress, place)
  where codes[place] = 0 and state < 4;

  if 4 <= any(states) then
    insert into errand.ended (turn, run_at, created_at, fence, started_at, expires_at, deadline_at, ended_at, kind, rev,
      state, priority, failures, crashes, losses, cancel_asked, with_errors, id, worker, subject, parent, called, queue, tenant,
      unique_value, unique_until, fingerprint, reason, tags, input, result, error, progress, purge_at)
    select turns[place], run_at, created_at, fence, started_at, expires_at, deadline_at, ended_at, kind, rev, state,
      priority, failed, crashed, lost, is_asked, has_errors, id, worker, subject, parent, called, queue, tenant, value, until,
      fingerprint, reason, nullif(array(select jsonb_array_elements_text(tagged -> place::text)), '{}'), input, result, error, progress,
      kept_until
    from unnest(ids, kinds, states, priorities, revs, fences, run_ats, created_ats, started_ats, ended_ats, kept_untils,
      expiries, deadlines, failures, crashes, losses, asked, with_errors, workers, subjects, parents, calls, queues, tenants, uniques, untils,
      fingerprints, reasons, inputs, results, errors, progresses) with ordinality as g (id, kind, state, priority, rev,
      fence, run_at, created_at, started_at, ended_at, kept_until, expires_at, deadline_at, failed, crashed, lost, is_asked,
      has_errors, worker, subject, parent, called, queue, tenant, value, until, fingerprint, reason, input, result, error, progress,
      place)
    where codes[place] = 0 and state >= 4;
    insert into errand.retention (purge_at, ended_at, ids)
    select kept_until, ended_at, array_agg(id) from unnest(ids, states, ended_ats, kept_untils)
      with ordinality as g (id, state, ended_at, kept_until, place)
    where codes[place] = 0 and state >= 4 group by kept_until, ended_at;
  end if;
  perform errand.adopt_left(ids, turns, codes, rest);
  for one in
    select ids[g.place] as id, g.limits from jsonb_to_recordset(rest -> 'limits') as g (place integer, limits jsonb)
    where codes[g.place] = 0 and states[g.place] < 4
  loop
    stirred := stirred || errand.bind(one.id, one.limits);
  end loop;

  select array_agg(row (queue, what, many)::errand.move) into moves from (
    select queue, state, count(*)::integer as many from unnest(queues, states) with ordinality as g (queue, state, place)
    where codes[place] = 0 group by queue, state
  ) as counted, unnest(array[state, -2]) as what;
  if moves is not null then
    perform errand.count(in_slot, moves || stirred);
    perform pg_notify('errand_ready', ''), pg_notify('errand_change', '');
  end if;
  return coalesce(codes, '{}');
end $$;

-- What few jobs have: tags, runs, lines, steps, mail, files; the requests that joined, and the batches.
create function errand.adopt_left(ids uuid[], turns bigint[], codes smallint[], rest jsonb) returns void
language plpgsql as $$
begin
  insert into errand.tag (tag, turn, id)
  select distinct t.value, turns[g.key::integer], ids[g.key::integer]
  from jsonb_each(rest -> 'tags') as g, jsonb_array_elements_text(g.value) as t
  where codes[g.key::integer] = 0;
  update errand.job as j set batch = g.batch, item = g.item
  from jsonb_to_recordset(rest -> 'places') as g (place integer, batch uuid, item integer)
  where codes[g.place] = 0 and j.id = ids[g.place];
  update errand.ended as e set limits = g.limits, held = errand.first_key(g.limits)
  from jsonb_to_recordset(rest -> 'limits') as g (place integer, limits jsonb)
  where codes[g.place] = 0 and e.id = ids[g.place];
  update errand.ended as e set batch = g.batch, item = g.item
  from jsonb_to_recordset(rest -> 'places') as g (place integer, batch uuid, item integer)
  where codes[g.place] = 0 and e.id = ids[g.place];
  insert into errand.attempt (id, fence, worker, started_at, ended_at, outcome, error)
  select ids[place], fence, worker, started_at, ended_at, outcome, error
  from jsonb_to_recordset(rest -> 'runs') as g (place integer, fence bigint, worker uuid, started_at bigint,
    ended_at bigint, outcome text, error bytea)
  where codes[place] = 0 on conflict do nothing;
  insert into errand.log (id, n, at, fence, level, text)
  select ids[place], n, at, fence, level, text
  from jsonb_to_recordset(rest -> 'lines') as g (place integer, n integer, at bigint, fence bigint, level text, text text)
  where codes[place] = 0;
  insert into errand.step (id, name, n, at, value)
  select ids[place], name, n, at, value
  from jsonb_to_recordset(rest -> 'steps') as g (place integer, name text, n integer, at bigint, value bytea)
  where codes[place] = 0 on conflict do nothing;
  insert into errand.mail (id, name, key, n, at, urgent, value)
  select ids[place], name, key, n, at, coalesce(urgent, false), value
  from jsonb_to_recordset(rest -> 'mail') as g (place integer, name text, key text, n integer, at bigint, urgent boolean,
    value bytea)
  where codes[place] = 0 on conflict do nothing;
  -- Who runs it first looks into its mailbox.
  update errand.job as j set created_at = j.run_at where j.created_at is null and j.id = any(ids)
    and (exists (select from errand.mail as m where m.id = j.id)
      or exists (select from errand.step as s where s.id = j.id));
  insert into errand.awaited (id, name, for_all)
  select ids[place], name, for_all
  from jsonb_to_recordset(rest -> 'awaits') as g (place integer, name text, for_all boolean)
  where codes[place] = 0 on conflict do nothing;
  insert into errand.artifact (id, file, fence, type, bytes, sha256, expires_at)
  select ids[place], file, fence, type, bytes, sha256, expires_at
  from jsonb_to_recordset(rest -> 'files') as g (place integer, file text, fence bigint, type text, bytes bigint,
    sha256 text, expires_at bigint)
  where codes[place] = 0 on conflict do nothing;
  insert into errand.drops (id, what, drop_at)
  select ids[place], what, drop_at from jsonb_to_recordset(rest -> 'drops') as g (place integer, what text, drop_at bigint)
  where codes[place] = 0 on conflict do nothing;
  insert into errand.alias (id, job, fingerprint, purge_at)
  select g.* from jsonb_to_recordset(rest -> 'aliases') as g (id uuid, job uuid, fingerprint text, purge_at bigint)
  on conflict do nothing;
  insert into errand.batch (id, job, tenant, created_at, filled_at, closed_at, ended_at, purge_at, keep_ms, stopped,
    failed_max, fingerprint, end_job, items, completed, with_errors, failed, cancelled, erased, endings)
  select b.id, b.job, b.tenant, b.created_at, b.filled_at, b.closed_at, b.ended_at, b.ended_at + b.keep_ms, b.keep_ms, b.stopped,
    b.failed_max, b.fingerprint, b.end_job, b.items, b.completed, b.with_errors, b.failed, b.cancelled, b.erased, b.endings
  from jsonb_array_elements(rest -> 'batches') with ordinality as g (value, place)
  cross join lateral jsonb_populate_record(null::errand.batch, g.value) as b
  order by g.place on conflict do nothing;
end $$;
