-- exchange: settles M jobs and claims N in one transaction, once per number (C2-C5).
--
-- In      a worker and its number; arrays, one element a settlement; queues in order and how many
-- Out     one row: its standing, answers by place, the claimed jobs as arrays; the same when repeated
-- Cost    index steps for M + N, whatever the backlog; one trip, one commit
-- Beware  the worker's row is the lock: what follows it sees all that the exchange before has left

-- Whether a number is new to its worker. The last two are remembered: that many may be in flight.
create function errand.standing(in_worker uuid, in_n bigint) returns text language plpgsql
set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  oldest bigint;
  known record;
begin
  update errand.number as k set newest = greatest(in_n, k.newest), second = least(in_n, k.newest)
  where k.worker = in_worker and in_n > k.second and in_n <> k.newest
    and not exists (select from errand.worker as w where w.id = in_worker and w.gone_at is not null)
  returning k.second into oldest;
  if found then
    -- Receipts whose jobs are all settled, but for the last two: those may be asked for again.
    delete from errand.receipt as r where r.worker = in_worker and r.open <= 0 and r.n < oldest;
    return 'new';
  end if;
  select k.second into known from errand.number as k where k.worker = in_worker for update;
  if not found or exists (select from errand.worker as w where w.id = in_worker and w.gone_at is not null) then
    return 'gone';
  end if;
  return case when in_n < known.second then 'closed' else 'again' end;
end $$;

create function errand.exchange(
  in_now bigint, in_slot integer, in_worker uuid, in_n bigint, queues text[], lim integer,
  settled uuid[], fences bigint[], states smallint[], delays bigint[], keeps bigint[], raises smallint[],
  begun boolean[], with_errors boolean[], reasons text[], results bytea[], errors bytea[], rest jsonb, starts jsonb,
  out standing text, out now bigint, out due bigint, out answers text[], out jobs text, out inputs text,
  out marks jsonb, out ends jsonb
) language plpgsql set enable_seqscan = off set jit = off set plan_cache_mode = force_generic_plan as $$
declare
  moves errand.move[];
  told errand.told[];
  promoted errand.move[];
  ids uuid[];
  marked bigint[];
  taken record;
  one text;
  stretch bigint[];
  many integer := 0;
  seated tid[];
begin
  now := errand.clock(in_now);
  standing := errand.standing(in_worker, in_n);
  if standing in ('gone', 'closed') then return; end if;
  if settled is not null then
    select s.answers, s.moves, s.told into answers, moves, told from errand.settle(now, in_slot, in_worker, settled, fences,
      states, delays, keeps, raises, begun, with_errors, reasons, results, errors, rest) as s;
  end if;

  due := errand.due();
  if due <= now then
    promoted := errand.promote(now) || errand.awake(now);
    moves := moves || promoted;
    due := errand.due();
  end if;
  -- Places are handed on before jobs are. Where nobody stands in the line, those that have one now are claimed as they lie.
  if exists (select from unnest(moves) as m where m.state >= 10) then
    seated := errand.limit(moves, lim > 0 and standing = 'new' and not exists (select from errand.job as j where j.state = 1));
    moves := (select array_agg(m) from unnest(moves) as m where m.state < 10);
  end if;
  if told is not null then
    -- Who claims jobs of a key that counts who waits takes the lock of limits: it comes before any batch.
    if lim > 0 and exists (select from errand.limit_key as k where k.pending > 0) then perform errand.lock_limits(); end if;
    moves := moves || errand.tell_batches(now, told);
  end if;

  if standing = 'again' then
    select h.jobs, h.inputs, h.marks into jobs, inputs, marks
    from errand.again(in_worker, in_n) as a cross join lateral errand.handed(a.ids, a.fences) as h;
  elsif lim > 0 then
    queues := case when cardinality(queues) > 0 then errand.unpaused(queues)
      when seated is null then errand.queues(in_n) else errand.queues_of(seated) end;
    foreach one in array queues loop
      foreach stretch slice 1 in array errand.stretches((starts ->> one)::bigint) loop
        exit when many >= lim;
        select * into taken from errand.claim(now, in_worker, in_n, one, lim - many, stretch[1], stretch[2], seated);
        if taken.ids is not null then
          ids := ids || taken.ids;
          marked := marked || taken.fences;
          jobs := concat_ws(',', jobs, taken.jobs);
          inputs := case when inputs is null then taken.inputs else inputs || ',' || taken.inputs end;
          marks := coalesce(marks || taken.marks, taken.marks, marks);
          many := many + cardinality(taken.ids);
          if taken.limits is not null then moves := moves || errand.stir(taken.limits, null, -1); end if;
          moves := moves || row (one, 1, -cardinality(taken.ids))::errand.move
            || row (one, 2, cardinality(taken.ids))::errand.move;
        end if;
        if many >= lim and seated is null and (taken.far > 64 or stretch[1] > 0) then
          ends := coalesce(ends, '{}') || jsonb_build_object(one, taken.last);
        end if;
      end loop;
    end loop;
    -- Whom the claim left: others may have come into the line since, and have been claimed before them.
    if seated is not null then perform errand.seat(seated); end if;
    if many > 0 then
      insert into errand.receipt (worker, n, open, ids, fences) values (in_worker, in_n, many, ids, marked);
    end if;
  end if;

  if moves is not null then
    perform errand.count(in_slot, moves);
    perform pg_notify('errand_change', '');
    if promoted is not null or errand.makes_ready(moves) then
      perform pg_notify('errand_ready', '');
    end if;
  end if;
end $$;
