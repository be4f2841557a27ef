-- claim: what an exchange does to hand jobs out: makes ready what is due, takes the next, says what they are (C2, C7, C9).
--
-- In      a queue and how many; a worker and the number of its receipt
-- Out     ids and fences in the order in which they leave; what the worker is told of them, as texts
-- Cost    index steps for what is taken
-- Beware  entries of jobs long gone lie at the head of the index until vacuum comes by

-- What a hook looks back on, as it lies here now; nothing when it was erased.
create function errand.subject(in_id uuid) returns jsonb language sql stable
begin atomic
  select coalesce(
    (select jsonb_build_object('input', input, 'result', result, 'error', error) from errand.ended where id = in_id),
    (select jsonb_build_object('input', input, 'error', error) from errand.job where id = in_id),
    (select jsonb_build_object('batch', to_jsonb(b)) from errand.batch as b where b.id = in_id),
    case when in_id is not null then '{"input": "\\x"}'::jsonb end);
end;

-- What earlier runs of a job recorded; nothing when none did.
create function errand.steps(in_id uuid) returns jsonb language sql stable
begin atomic
  select jsonb_agg(jsonb_build_object('name', name, 'at', at, 'value', value) order by n)
  from errand.step where id = in_id;
end;

-- A job on its way to a worker: what each has, in a line, with its place where it is an item of a batch; what few have, as marks. Both are put in the place
-- of their call, which no function is that calls a volatile one.
create function errand.line(j errand.job) returns text language sql stable
return concat_ws(' ', j.id, j.fence, j.kind, coalesce(j.created_at, j.run_at), j.run_at, j.batch, j.item);

create function errand.marks(j errand.job) returns jsonb language sql stable
return case when j.cancel_asked or j.tenant <> '' or coalesce(j.failures, j.crashes, j.losses) is not null
    or coalesce(j.expires_at, j.deadline_at) is not null or j.subject is not null or j.parent is not null
    -- It came back to life, or was sent mail: only then may there be either.
    or j.created_at is not null
  then jsonb_strip_nulls(jsonb_build_object('tenant', j.tenant, 'failures', j.failures, 'crashes', j.crashes,
    'losses', j.losses, 'expiresAt', j.expires_at, 'deadlineAt', j.deadline_at,
    'cancelAsked', nullif(j.cancel_asked, false),
    'subject', errand.subject(j.subject),
    'steps', case when j.created_at is not null then errand.steps(j.id) end,
    'parent', case when j.parent is not null then jsonb_build_object('id', j.parent, 'name', j.called) end,
    'mail', case when j.created_at is not null then errand.mail(j.id) end)) end;

-- Jobs handed out before, in the order in which they left.
create function errand.handed(
  ids uuid[], fences bigint[], out jobs text, out inputs text, out marks jsonb
) language plpgsql set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
as $$
begin
  select string_agg(errand.line(j), ',' order by given.place),
    string_agg(encode(j.input, 'hex'), ',' order by given.place),
    jsonb_object_agg(j.id, known.marks) filter (where known.marks <> '{}')
  into jobs, inputs, marks
  from unnest(ids, fences) with ordinality as given (id, fence, place)
  join errand.job as j on j.id = given.id and j.fence = given.fence and j.state = 2
  cross join lateral (
    -- It has run since it was handed out: its first run may have recorded some.
    select jsonb_strip_nulls(coalesce(errand.marks(j), '{}')
      || jsonb_build_object('steps', errand.steps(j.id), 'mail', errand.mail(j.id))) as marks
  ) as known;
end $$;

-- Takes the next jobs of one queue under new fences, along the index job_ready and no further: of its lines
-- those from a place on and below another; and of those that were given places and do not stand in the line yet, where
-- it is empty. `far`: how many pages it passed where there was nothing left.
create function errand.claim(
  now bigint, in_worker uuid, in_receipt bigint, in_queue text, lim integer, low bigint, high bigint,
  seated tid[],
  out ids uuid[], out fences bigint[], out jobs text, out inputs text, out marks jsonb, out last bigint, out far integer,
  out limits jsonb[]
) language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off set plan_cache_mode = force_generic_plan
as $$
begin
  far := pg_stat_get_xact_blocks_fetched('errand.job_ready'::regclass);
  with listed as materialized (
    select j.ctid as place from errand.job as j where j.queue = in_queue and j.state = 1
      and (j.priority::bigint << 56 | j.run_at) >= low and (j.priority::bigint << 56 | j.run_at) < high
    order by (j.priority::bigint << 56 | j.run_at), j.turn limit lim for update skip locked
  ),
  next as materialized (
    select listed.place from listed
    union all
    (select j.ctid from errand.job as j where j.ctid = any(seated) and j.queue = in_queue
      order by (j.priority::bigint << 56 | j.run_at), j.turn limit greatest(lim - (select count(*) from listed), 0))
  ),
  taken as (
    update errand.job as j
    set state = 2, fence = greatest(j.fence + 1, now), worker = in_worker, receipt = in_receipt,
      started_at = now, rev = j.rev + 1,
      cancel_asked = j.cancel_asked or (j.batch is not null and j.batch = any(array(select errand.stopped())))
    where j.ctid = any(array(select next.place from next))
    returning j.id, j.fence, j.priority, j.run_at, j.turn, j.input, errand.line(j) as line, errand.marks(j) as marks,
      j.limits
  ),
  sorted as (select * from taken order by priority, run_at, turn)
  select array_agg(s.id), array_agg(s.fence), string_agg(s.line, ','), string_agg(encode(s.input, 'hex'), ','),
    jsonb_object_agg(s.id, s.marks) filter (where s.marks is not null), max(s.priority::bigint << 56 | s.run_at),
    array_agg(s.limits) filter (where s.limits is not null)
  into ids, fences, jobs, inputs, marks, last, limits from sorted as s;
  far := pg_stat_get_xact_blocks_fetched('errand.job_ready'::regclass) - far - lim / 50;
end $$;

-- The stretches of a line that a claim walks, as places from and to. One, as a rule. A line whose beginning is
-- long gone but cannot be cleaned up is walked from where the last claim ended, after what is more urgent; and
-- from its beginning, where that does not fill the hand.
create function errand.stretches(started bigint) returns bigint[] language plpgsql immutable as $$
declare
  urgent bigint := started >> 56 << 56;
begin
  if started is null then return array[[0, 9223372036854775807]]; end if;
  return array[[0, urgent], [started, 9223372036854775807], [0, 9223372036854775807]];
end $$;

-- When the next of those that are scheduled or asleep is due.
create function errand.due() returns bigint language plpgsql
set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
begin
  return least((select min(j.run_at) from errand.job as j where j.state = 0),
    (select min(j.wakes_at) from errand.job as j where j.wakes_at is not null));
end $$;

-- Makes ready what is due, a bounded number.
create function errand.promote(now bigint) returns errand.move[] language sql
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set jit = off
begin atomic
  with due as materialized (
    select j.id from errand.job as j where j.state = 0 and j.run_at <= now
    order by j.run_at, j.turn limit 1000 for update skip locked
  ),
  ready as (
    update errand.job as j set state = case when j.held is null then 1 else -1 end, rev = j.rev + 1
    where j.id = any(array(select due.id from due))
    returning j.queue, j.held
  ),
  counted as (select queue, count(*)::integer as many from ready group by queue)
  select (
    select array_agg(row (queue, state, many * sign)::errand.move)
    from counted, (values (0::smallint, -1), (1::smallint, 1)) as change (state, sign)
  ) || (select array_agg(distinct row (held, 10, 0)::errand.move) from ready where held is not null);
end;

-- Those of these queues that are not paused, in their order.
create function errand.unpaused(queues text[]) returns text[] language plpgsql as $$
begin
  if not exists (select from errand.entry as e where e.kind = 'pause') then return queues; end if;
  return array(
    select q.name from unnest(queues) with ordinality as q (name, n)
    where not exists (select from errand.entry as e where e.kind = 'pause' and e.name = q.name) order by q.n);
end $$;

-- Those of jobs at these places.
create function errand.queues_of(places tid[]) returns text[] language plpgsql
set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
begin
  return errand.unpaused(array(select distinct j.queue from errand.job as j where j.ctid = any(places)));
end $$;

-- Every queue with ready jobs, walked from one to the next; each exchange begins with another, or the
-- last would starve.
create function errand.queues(in_n bigint) returns text[] language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set jit = off
set plan_cache_mode = force_generic_plan as $$
declare
  found_queues text[] := '{}';
  one text := '';
  many integer;
begin
  loop
    select j.queue into one from errand.job as j where j.state = 1 and j.queue > one order by j.queue limit 1;
    exit when not found;
    found_queues := found_queues || one;
  end loop;
  found_queues := errand.unpaused(found_queues);
  many := cardinality(found_queues);
  if many < 2 then return found_queues; end if;
  return found_queues[in_n % many + 1 :] || found_queues[: in_n % many];
end $$;
