-- take, hold: calls let pass under limits, and limits that are closed (C20).
--
-- In      takes with their places; how much later than now a moment may be before the clock must have gone back
-- Out     how long each has to wait; for how long a limit is closed
-- Cost    a few index steps a call; nothing is locked or written for one that has to wait
-- Beware  the row of a limit is the lock, taken in the order of names; the clock is read under it. `kept` is the most
--         that anybody counts of a limit: who counts fewer forgets nothing of it

create function errand.take(in_now bigint, takes jsonb, late_max bigint) returns bigint[] language plpgsql
set enable_seqscan = off set jit = off as $$
declare
  one record;
  waits bigint[] := array_fill(0::bigint, array[jsonb_array_length(takes)]);
  wait bigint;
  before text;
begin
  for one in
    select * from jsonb_to_recordset(takes) as t (place integer, name text collate "C", count integer, window_ms bigint,
      n integer, late_ms bigint)
    order by t.name, t.place
  loop
    if before is distinct from one.name then
      before := one.name;
      wait := 0;
    end if;
    -- Who comes after one that waits waits too. Most that wait are told so without a lock.
    if wait = 0 then
      wait := errand.wait_for(in_now, one.name, one.count, one.window_ms, one.n, late_max);
      if wait = 0 then wait := errand.take_one(in_now, one.name, one.count, one.window_ms, one.n, one.late_ms, late_max); end if;
    end if;
    waits[one.place] := wait;
  end loop;
  return waits;
end $$;

-- Where nobody knows the limit, or knows it otherwise, that is for the lock to find out.
create function errand.wait_for(in_now bigint, in_name text, in_count integer, in_window bigint, n integer, late_max bigint)
returns bigint language plpgsql set enable_seqscan = off as $$
declare
  now bigint := errand.clock(in_now);
  r errand.rate;
  leaves_at bigint;
begin
  select * into r from errand.rate as t where t.name = in_name;
  if not found or r.count is distinct from in_count or r.window_ms is distinct from in_window then return 0; end if;
  if r.closed_until > now then return r.closed_until - now; end if;
  if r.total + n <= in_count then return 0; end if;
  select t.at + in_window into leaves_at from errand.taken as t
  where t.name = in_name and t.upto >= r.total + n - in_count order by t.upto limit 1;
  if leaves_at is null or leaves_at > now + in_window + late_max then return 0; end if;
  return greatest(leaves_at - now, 0);
end $$;

create function errand.take_one(in_now bigint, in_name text, in_count integer, in_window bigint, n integer, late_ms bigint,
  late_max bigint) returns bigint language plpgsql set enable_seqscan = off as $$
declare
  now bigint;
  r errand.rate;
  newest bigint;
  leaves_at bigint;
begin
  insert into errand.rate as t (name, count, window_ms, kept, used_at)
  values (in_name, in_count, in_window, in_count, errand.clock(in_now))
  on conflict (name) do update set count = in_count, window_ms = in_window, kept = greatest(t.kept, in_count)
  where t.count is distinct from in_count or t.window_ms is distinct from in_window;
  select * into r from errand.rate as t where t.name = in_name for update;
  now := errand.clock(in_now);
  select t.at into newest from errand.taken as t where t.name = in_name order by t.upto desc limit 1;
  if newest > now + late_max then
    -- The clock went back: those calls count from now.
    newest := now + late_max;
    update errand.taken as t set at = newest where t.name = in_name and t.at > newest;
  end if;
  if r.closed_until > now then return r.closed_until - now; end if;
  if r.total + n > in_count then
    select t.at + in_window into leaves_at from errand.taken as t
    where t.name = in_name and t.upto >= r.total + n - in_count order by t.upto limit 1;
    if leaves_at > now then return leaves_at - now; end if;
  end if;
  insert into errand.taken (name, upto, at) values (in_name, r.total + n, greatest(now + late_ms, newest));
  update errand.rate as t set total = r.total + n, used_at = now where t.name = in_name;
  -- Between these, not below: what was deleted before need not be walked over again.
  delete from errand.taken as t
  where t.name = in_name and t.upto > r.total - r.kept and t.upto <= r.total + n - r.kept;
  return 0;
end $$;

create function errand.close_limit(in_now bigint, in_name text, ms bigint) returns bigint language plpgsql
set enable_seqscan = off as $$
declare
  now bigint := errand.clock(in_now);
  until bigint;
begin
  if ms = 0 then
    update errand.rate as t set closed_until = null where t.name = in_name;
    return case when found then 0 end;
  end if;
  insert into errand.rate as t (name, closed_until, used_at) values (in_name, now + ms, now)
  on conflict (name) do update
  set closed_until = greatest(t.closed_until, excluded.closed_until), used_at = excluded.used_at
  returning t.closed_until into until;
  return until - now;
end $$;

-- Limits that nobody used for long; one whose span is longer is kept for that.
create function errand.purge_limits(now bigint, kept_ms bigint) returns void language plpgsql as $$
declare
  unused text[] := array(select t.name from errand.rate as t
    where t.used_at < now - kept_ms - coalesce(t.window_ms, 0) and coalesce(t.closed_until, 0) <= now
    limit 100 for update skip locked);
begin
  if unused = '{}' then return; end if;
  delete from errand.taken as t where t.name = any(unused);
  delete from errand.rate as t where t.name = any(unused);
end $$;
