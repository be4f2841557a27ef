-- settle: writes outcomes down, under their fences (C3, C12).
--
-- In      arrays, one element a settlement; `rest` holds what few outcomes have: files, hooks, waits
-- Out     an answer per settlement, by place, or null: all are done; the moves to be counted
-- Cost    index steps for M, in at most two passes over them
-- Beware  who calls names a settlement once: sets know no order

create function errand.settle(
  now bigint, in_slot integer, in_worker uuid, ids uuid[], fences bigint[], states smallint[], delays bigint[],
  keeps bigint[], raises smallint[], begun boolean[], with_errors boolean[], reasons text[], results bytea[],
  errors bytea[], rest jsonb, out answers text[], out moves errand.move[], out told errand.told[]
) language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
  done bigint[];
  freed jsonb[];
  own jsonb;
  finished bigint[];
  more errand.move[];
begin
  -- Back to life: released, tried again later, parked. What is to be cancelled lies nowhere in waiting.
  if 3 >= any(states) then
    with given as (
      select * from unnest(ids, fences, states, delays, raises, begun, errors)
        with ordinality as g (id, fence, state, delay_ms, raise, begun, error, place) where state <= 3
    ),
    back as (
      update errand.job as j
      set state = case when given.state in (0, 3) and (j.cancel_asked or given.delay_ms <= 0) then 1 else given.state end,
        run_at = case when given.state = 0 then now + case when j.cancel_asked then 0 else greatest(given.delay_ms, 0) end
          when given.state = 3 and given.begun and j.cancel_asked then now else j.run_at end,
        created_at = coalesce(j.created_at, j.run_at),
        failures = case when given.raise = 1 then coalesce(j.failures, 0) + 1 else j.failures end,
        crashes = case when given.raise = 2 then coalesce(j.crashes, 0) + 1 else j.crashes end,
        losses = case when given.raise = 3 then coalesce(j.losses, 0) + 1 else j.losses end,
        expires_at = case when not given.begun then j.expires_at end,
        waiting_for = case when given.state = 3 and not j.cancel_asked then 'handler' end,
        error = coalesce(given.error, j.error), rev = j.rev + 1
      from given
      where j.id = given.id and j.fence = given.fence and j.worker = in_worker and j.state = 2
      returning given.place, j.queue, j.state, j.receipt, j.limits
    ),
    closed as (
      update errand.receipt as r set open = r.open - c.many
      from (select receipt, count(*)::integer as many from back group by receipt) as c
      where r.worker = in_worker and r.n = c.receipt
    ),
    counted as (select queue, state, count(*)::integer as many from back group by queue, state)
    select (select array_agg(place) from back),
      (select array_agg(row (queue, what, many * sign)::errand.move)
       from counted, lateral (values (2::smallint, -1), (state, 1)) as change (what, sign)),
      (select array_agg(limits) from back where limits is not null)
    into done, moves, freed;
    -- One that is parked waits for no letter.
    if 3 = any(states) then
      delete from errand.awaited as a where a.id = any(array(select ids[d.place] from unnest(done) as d (place)));
    end if;
    if rest ? 'waits' then moves := moves || errand.suspend(now, ids, done, rest -> 'waits'); end if;
    -- Who is ready again at once keeps its places.
    if freed is not null then
      select errand.stir(array_agg(j.limits) filter (where j.state = 1), null, 1)
        || errand.stir(array_agg(j.limits) filter (where j.state <> 1), -1, 1) into more
      from unnest(done) as d (place) join errand.job as j on j.id = ids[d.place] where j.limits is not null;
      moves := moves || more;
    end if;
  end if;

  if 4 <= any(states) then
    with given as (
      select * from unnest(ids, fences, states, keeps, raises, with_errors, reasons, results, errors)
        with ordinality as g (id, fence, state, keep_ms, raise, with_errors, reason, result, error, place)
      where state >= 4
    ),
    gone as (
      delete from errand.job as j using given
      where j.id = given.id and j.fence = given.fence and j.worker = in_worker and j.state = 2
      returning given.place, given.state as verdict, given.keep_ms, given.raise, given.with_errors, given.reason,
        given.result, given.error as last_error, j.*
    ),
    kept as (
      insert into errand.ended (turn, run_at, created_at, fence, started_at, expires_at, deadline_at, ended_at,
        rev, kind, state, priority, failures, crashes, losses, cancel_asked, with_errors, id, worker, subject, parent, called,
        batch, item, queue, tenant, unique_value, unique_until, fingerprint, reason, tags, input, result, error, progress,
        purge_at, held, limits)
      select turn, run_at, coalesce(created_at, run_at), fence, started_at, expires_at, deadline_at, now, rev + 1,
        kind, verdict, priority, coalesce(failures, 0) + (raise = 1)::int, coalesce(crashes, 0) + (raise = 2)::int,
        coalesce(losses, 0) + (raise = 3)::int, cancel_asked,
        with_errors, id, worker, subject, parent, called, batch, item, queue, tenant, unique_value, unique_until, fingerprint,
        reason, tags, input, result, last_error, progress, now + keep_ms, held, limits
      from gone
    ),
    -- Few, whatever the number of jobs: what follows goes along these.
    groups as materialized (
      select queue, verdict, receipt, keep_ms, batch, count(*)::integer as many, array_agg(id) as members,
        array_agg(place) as places, bool_or(unique_value is not null) as has_unique,
        (count(*) filter (where with_errors))::integer as warned
      from gone group by queue, verdict, receipt, keep_ms, batch
    ),
    closed as (
      update errand.receipt as r set open = r.open - c.many
      from (select receipt, sum(many)::integer as many from groups group by receipt) as c
      where r.worker = in_worker and r.n = c.receipt
    ),
    listed as (
      insert into errand.retention (purge_at, ended_at, ids)
      select now + keep_ms, now, members from groups
    ),
    freed as (
      delete from errand.hold as h using gone
      where (select bool_or(has_unique) from groups) and gone.unique_value is not null
        and h.tenant = gone.tenant and h.value = gone.unique_value and h.id = gone.id
        and h.name = (select k.name from errand.kind as k where k.id = gone.kind)
        and (gone.verdict <> 4 or gone.unique_until = 'end')
    )
    select (select array_agg(place) from groups, unnest(places) as place),
      (select array_agg(row (queue, what, many * sign)::errand.move)
       from groups, lateral (values (2::smallint, -1), (verdict, 1)) as change (what, sign)),
      (select array_agg(row (batch, verdict, many, warned)::errand.told) from groups where batch is not null),
      (select array_agg(limits) from gone where limits is not null)
    into finished, more, told, freed;
    if freed is not null then moves := moves || errand.stir(freed, -1, null); end if;
    done := done || finished;
    moves := moves || more;
    if rest ? 'drops' then
      insert into errand.drops (id, what, drop_at)
      select ids[d.place], d.what, now + d.ms
      from jsonb_to_recordset(rest -> 'drops') as d (place integer, what text, ms bigint)
      where d.place = any(done)
      on conflict on constraint drops_pkey do update set drop_at = excluded.drop_at;
    end if;
    if rest ? 'artifacts' then
      insert into errand.artifact (id, file, fence, type, bytes, sha256, expires_at)
      select ids[a.place], a.file, fences[a.place], a.type, a.bytes, a.sha256, now + a.keep_ms
      from jsonb_to_recordset(rest -> 'artifacts')
        as a (place integer, file text, type text, bytes bigint, sha256 text, keep_ms bigint)
      where a.place = any(done)
      on conflict on constraint artifact_pkey do update set fence = excluded.fence, type = excluded.type,
        bytes = excluded.bytes, sha256 = excluded.sha256, expires_at = excluded.expires_at;
    end if;
    if rest ? 'hooks' then
      perform errand.learn(rest -> 'kinds');
      own := (select jsonb_agg(h.value) from jsonb_array_elements(rest -> 'hooks') as h
        where (h.value ->> 'place')::bigint = any(done));
      moves := moves || (select e.moves from errand.insert_json(now, own) as e);
    end if;
  end if;

  if rest ? 'words' then moves := moves || errand.tell(now, rest -> 'words', done); end if;
  if 6 = any(states) then
    moves := moves || errand.ask_children(now, array(
      select g.id from unnest(ids, states) with ordinality as g (id, state, place)
      where g.state = 6 and g.place = any(done)));
  end if;

  -- Runs that did not complete are history. The rows still tell who ran them, and since when.
  if rest ? 'attempts' then
    insert into errand.attempt (id, fence, worker, started_at, ended_at, outcome, error)
    select ran.id, ran.fence, in_worker, ran.started_at, now, a.outcome, errors[a.place]
    from jsonb_to_recordset(rest -> 'attempts') as a (place integer, outcome text)
    cross join lateral (
      select j.id, j.fence, j.started_at from errand.job as j where j.id = ids[a.place]
      union all
      select e.id, e.fence, e.started_at from errand.ended as e where e.id = ids[a.place]
    ) as ran
    where a.place = any(done);
  end if;

  if cardinality(done) is distinct from cardinality(ids) then
    select array_agg(case when g.place = any(done) then 'done' else errand.answer(g.id, g.fence) end order by g.place)
    into answers from unnest(ids, fences) with ordinality as g (id, fence, place);
  end if;
end $$;

-- What became of a job that this fence no longer holds. Running still means held by somebody else.
create function errand.answer(in_id uuid, in_fence bigint) returns text language sql
begin atomic
  select coalesce(
    (select case when fence is distinct from in_fence or state = 2 then 'stale' else 'already' end
     from errand.job where id = in_id),
    (select case when fence <> in_fence then 'stale' else 'already' end from errand.ended where id = in_id),
    'gone');
end;
