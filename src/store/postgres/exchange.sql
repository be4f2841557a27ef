-- exchange: settles M jobs and claims N in one transaction, once per number (C2-C5).
--
-- In      a worker and its number; arrays, one element a settlement; queues in order and how many
-- Out     one row: its standing, answers by place, the claimed jobs as arrays; the same when repeated
-- Cost    index steps for M + N, whatever the backlog; one trip, one commit
-- Beware  the worker's row is the lock: what follows it sees all that the exchange before has left

-- Whether a number is new to its worker. The last two are remembered: that many may be in flight.
create function errand.standing(in_worker uuid, in_n bigint) returns text language plpgsql as $$
declare
  known record;
begin
  select newest, second into known from errand.number where worker = in_worker for update;
  if not found or exists (select from errand.worker where id = in_worker and gone_at is not null) then
    return 'gone';
  end if;
  if in_n in (known.newest, known.second) then return 'again'; end if;
  if in_n < known.second then return 'closed'; end if;
  update errand.number set newest = greatest(in_n, known.newest), second = least(in_n, known.newest)
  where worker = in_worker;
  -- Receipts whose jobs are all settled, but for the last two: those may be asked for again.
  delete from errand.receipt as r
  where r.worker = in_worker and r.open <= 0 and r.n < least(in_n, known.newest);
  return 'new';
end $$;

-- What a hook looks back on, as it lies here now; nothing when it was erased.
create function errand.subject(in_id uuid) returns jsonb language sql
begin atomic
  select coalesce(
    (select jsonb_build_object('input', input, 'result', result, 'error', error) from errand.ended where id = in_id),
    (select jsonb_build_object('input', input, 'error', error) from errand.job where id = in_id),
    case when in_id is not null then '{"input": "\\x"}'::jsonb end);
end;

-- Jobs on their way to a worker, in the order in which they leave: what each has as one text, its tenant
-- last; what few have as marks.
create function errand.handed(
  ids uuid[], fences bigint[], out jobs text[], out inputs bytea[], out marks jsonb
) language plpgsql set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
as $$
begin
  select
    array_agg(concat_ws(' ', j.id, j.fence, j.kind, j.failures, j.crashes, j.losses, j.created_at, j.run_at, j.tenant)
      order by given.place),
    array_agg(j.input order by given.place),
    jsonb_object_agg(j.id, jsonb_strip_nulls(jsonb_build_object(
      'expiresAt', j.expires_at, 'deadlineAt', j.deadline_at, 'cancelAsked', nullif(j.cancel_asked, false),
      'subject', errand.subject(j.subject))))
      filter (where j.cancel_asked or coalesce(j.expires_at, j.deadline_at) is not null or j.subject is not null)
  into jobs, inputs, marks
  from unnest(ids, fences) with ordinality as given (id, fence, place)
  join errand.job as j on j.id = given.id and j.fence = given.fence and j.state = 2;
end $$;

-- Takes the next jobs of one queue under new fences, along the index job_ready and no further.
create function errand.claim(
  now bigint, in_worker uuid, in_receipt bigint, in_queue text, lim integer, out ids uuid[], out fences bigint[]
) language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set enable_hashjoin = off
set enable_mergejoin = off set jit = off
as $$
begin
  with next as materialized (
    select j.id from errand.job as j where j.queue = in_queue and j.state = 1
    order by j.priority, j.run_at, j.turn limit lim for update skip locked
  ),
  taken as (
    update errand.job as j
    set state = 2, fence = greatest(j.fence + 1, now), worker = in_worker, receipt = in_receipt,
      started_at = now, rev = j.rev + 1
    where j.id = any(array(select next.id from next))
    returning j.id, j.fence, j.priority, j.run_at, j.turn
  )
  select array_agg(taken.id order by priority, run_at, turn), array_agg(taken.fence order by priority, run_at, turn)
  into ids, fences from taken;
end $$;

create function errand.exchange(
  in_now bigint, in_slot integer, in_worker uuid, in_n bigint, queues text[], lim integer,
  settled uuid[], fences bigint[], states smallint[], delays bigint[], keeps bigint[], raises smallint[],
  begun boolean[], with_errors boolean[], reasons text[], results bytea[], errors bytea[], rest jsonb,
  out standing text, out now bigint, out due bigint, out answers text[], out jobs text[], out inputs bytea[],
  out marks jsonb
) language plpgsql set enable_seqscan = off set jit = off as $$
declare
  moves errand.move[];
  promoted errand.move[];
  ids uuid[];
  marked bigint[];
  taken record;
  one text;
  many integer := 0;
begin
  now := errand.clock(in_now);
  standing := errand.standing(in_worker, in_n);
  if standing in ('gone', 'closed') then return; end if;
  if settled is not null then
    select s.answers, s.moves into answers, moves from errand.settle(now, in_slot, in_worker, settled, fences,
      states, delays, keeps, raises, begun, with_errors, reasons, results, errors, rest) as s;
  end if;

  select min(j.run_at) into due from errand.job as j where j.state = 0;
  if due <= now then
    promoted := errand.promote(now);
    moves := moves || promoted;
    select min(j.run_at) into due from errand.job as j where j.state = 0;
  end if;

  if standing = 'again' then
    select a.ids, a.fences into ids, marked from errand.again(in_worker, in_n) as a;
  elsif lim > 0 then
    if cardinality(queues) = 0 then queues := errand.queues(in_n); end if;
    foreach one in array queues loop
      exit when many >= lim;
      select c.ids, c.fences into taken from errand.claim(now, in_worker, in_n, one, lim - many) as c;
      if taken.ids is not null then
        ids := ids || taken.ids;
        marked := marked || taken.fences;
        many := many + cardinality(taken.ids);
        moves := moves || row (one, 1, -cardinality(taken.ids))::errand.move
          || row (one, 2, cardinality(taken.ids))::errand.move;
      end if;
    end loop;
    if many > 0 then
      insert into errand.receipt (worker, n, open, ids, fences) values (in_worker, in_n, many, ids, marked);
    end if;
  end if;
  if ids is not null then
    select h.jobs, h.inputs, h.marks into jobs, inputs, marks from errand.handed(ids, marked) as h;
  end if;

  if moves is not null then
    perform errand.count(in_slot, moves);
    perform pg_notify('errand_change', '');
    if promoted is not null or exists (select from unnest(moves) as m where m.state in (0, 1) and m.count > 0) then
      perform pg_notify('errand_ready', '');
    end if;
  end if;
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
    update errand.job as j set state = 1, rev = j.rev + 1 where j.id = any(array(select due.id from due))
    returning j.queue
  ),
  counted as (select queue, count(*)::integer as many from ready group by queue)
  select array_agg(row (queue, state, many * sign)::errand.move)
  from counted, (values (0::smallint, -1), (1::smallint, 1)) as change (state, sign);
end;

-- Every queue with ready jobs, walked from one to the next; each exchange begins with another, or the
-- last would starve.
create function errand.queues(in_n bigint) returns text[] language sql
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set jit = off
begin atomic
  with recursive walked as (
    (select queue from errand.job where state = 1 order by queue limit 1)
    union all
    select (select j.queue from errand.job as j where j.state = 1 and j.queue > walked.queue order by j.queue limit 1)
    from walked where walked.queue is not null
  ),
  placed as (
    select queue, row_number() over (order by queue) - 1 as place, count(*) over () as many
    from walked where queue is not null
  )
  select coalesce(array_agg(queue order by (place + many - in_n % many) % many), '{}') from placed;
end;
