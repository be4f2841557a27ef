-- count, clock, free: what several verbs do on their way (C10).
--
-- In      the moves of a call, gathered; the slot of the process that makes them
-- Out     nothing
-- Cost    one row a queue
-- Beware  PL/pgSQL keeps its plans, SQL functions do not; counting comes last in its transaction and in the order of queues, so that no two calls wait for each other

create function errand.clock(given bigint) returns bigint language plpgsql as $$
begin
  return coalesce(given, floor(extract(epoch from clock_timestamp()) * 1000)::bigint);
end $$;

-- Whether somebody who waits for work should look.
create function errand.makes_ready(moves errand.move[]) returns boolean language plpgsql as $$
begin
  return exists (select from unnest(moves) as m where m.state in (0, 1) and m.count > 0);
end $$;

-- States beside those of a job: -1 erased, -2 accepted; of keys see limit.sql. A call's moves are of one queue, as a rule.
create function errand.count(in_slot integer, moves errand.move[]) returns void language plpgsql
set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
declare
  one errand.move;
  many bigint[];
  is_mixed boolean := false;
  first text := (moves[1]).queue;
begin
  many := array_fill(0, array[9], array[-2]);
  foreach one in array moves loop
    -- Of a key, not of a queue.
    if one.state >= 10 then
      perform errand.limit(moves);
      moves := array(select m from unnest(moves) as m where m.state < 10);
      if cardinality(moves) > 0 then perform errand.count_queues(in_slot, moves); end if;
      return;
    end if;
    is_mixed := is_mixed or one.queue <> first;
    many[one.state] := many[one.state] + one.count;
  end loop;
  if is_mixed then
    perform errand.count_queues(in_slot, moves);
    return;
  end if;
  update errand.tally as t set accepted = t.accepted + many[-2], erased = t.erased + many[-1],
    scheduled = t.scheduled + many[0], ready = t.ready + many[1], running = t.running + many[2],
    waiting = t.waiting + many[3], completed = t.completed + many[4], failed = t.failed + many[5],
    cancelled = t.cancelled + many[6]
  where t.queue = first and t.slot = in_slot;
  if not found then perform errand.count_queues(in_slot, moves); end if;
end $$;

-- Counts the moves of jobs that came in, if any did, and wakes whoever waits for work.
create function errand.count_ready(in_slot integer, moves errand.move[]) returns void language plpgsql as $$
begin
  if moves is null then return; end if;
  perform errand.count(in_slot, moves);
  perform pg_notify('errand_ready', '');
end $$;

create function errand.count_queues(in_slot integer, moves errand.move[]) returns void language plpgsql as $$
#variable_conflict use_column
begin
  insert into errand.tally as t (queue, slot, accepted, erased, scheduled, ready, running, waiting,
    completed, failed, cancelled)
  select queue, in_slot, coalesce(sum(count) filter (where state = -2), 0),
    coalesce(sum(count) filter (where state = -1), 0), coalesce(sum(count) filter (where state = 0), 0),
    coalesce(sum(count) filter (where state = 1), 0), coalesce(sum(count) filter (where state = 2), 0),
    coalesce(sum(count) filter (where state = 3), 0), coalesce(sum(count) filter (where state = 4), 0),
    coalesce(sum(count) filter (where state = 5), 0), coalesce(sum(count) filter (where state = 6), 0)
  from (
    -- What was taken back within the call never was.
    select queue, state, sum(count) as count from unnest(moves) group by queue, state having sum(count) <> 0
  ) as moved
  group by queue order by queue
  on conflict (queue, slot) do update set
    accepted = t.accepted + excluded.accepted, erased = t.erased + excluded.erased,
    scheduled = t.scheduled + excluded.scheduled, ready = t.ready + excluded.ready,
    running = t.running + excluded.running, waiting = t.waiting + excluded.waiting,
    completed = t.completed + excluded.completed, failed = t.failed + excluded.failed,
    cancelled = t.cancelled + excluded.cancelled;
end $$;
