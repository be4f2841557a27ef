-- sweep: takes over the jobs of workers whose lease ran out, and decides nothing (C6).
--
-- In      the sweeping worker, its number; how many at most
-- Out     as an exchange: the jobs, under new fences, in a receipt of the sweeper's
-- Cost    index steps for the jobs taken; one look at the workers when there are none
-- Beware  sweeps go one after the other; one that skipped locked receipts would leave jobs behind

-- What a receipt names that still runs under it. An erased job's id may be another's by now: the row knows
-- in which receipt it stands.
create function errand.again(in_worker uuid, in_n bigint, out ids uuid[], out fences bigint[])
language sql set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
begin atomic
  select array_agg(h.id order by h.place), array_agg(h.fence order by h.place)
  from errand.receipt as r cross join lateral unnest(r.ids, r.fences) with ordinality as h (id, fence, place)
  join errand.job as j on j.id = h.id and j.worker = r.worker and j.receipt = r.n
  where r.worker = in_worker and r.n = in_n;
end;

create function errand.sweep(
  in_now bigint, in_worker uuid, in_n bigint, lim integer,
  out standing text, out now bigint, out jobs text, out inputs text, out marks jsonb
) language plpgsql set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
as $$
declare
  given record;
  ids uuid[];
  fences bigint[];
  taken_ids uuid[];
  taken_fences bigint[];
  running integer;
  left_over integer := lim;
begin
  now := errand.clock(in_now);
  perform pg_advisory_xact_lock(hashtext('errand.sweep'));
  standing := errand.standing(in_worker, in_n);
  if standing in ('gone', 'closed') then return; end if;
  if standing = 'again' then
    select a.ids, a.fences into ids, fences from errand.again(in_worker, in_n) as a;
  else
    -- The clock went back: no lease may last longer than a lease.
    update errand.worker as w set lease_until = now + w.lease_ms
    where w.gone_at is null and w.lease_until > now + w.lease_ms;
    -- After an outage everybody renews first: who has just come back may not judge others.
    if exists (select from errand.worker as w where w.id = in_worker and w.gone_at is null
      and w.lease_until > now and now - w.unbroken_from >= w.lease_ms) then
      update errand.worker as w set gone_at = now
      where w.gone_at is null and w.lease_until <= now and w.id <> in_worker;
    end if;
    for given in
      select r.* from errand.worker as w join errand.receipt as r on r.worker = w.id
      where w.gone_at is not null order by r.worker, r.n limit 1000 for update of r
    loop
      exit when left_over <= 0;
      with held as materialized (
        select j.id from unnest(given.ids, given.fences) with ordinality as h (id, fence, place)
        join errand.job as j on j.id = h.id and j.fence = h.fence and j.worker = given.worker and j.receipt = given.n
          and j.state = 2
        order by h.place for update of j
      ),
      few as materialized (select id from held limit left_over),
      taken as (
        update errand.job as j set fence = greatest(j.fence + 1, now), worker = in_worker,
          receipt = in_n, rev = j.rev + 1,
          cancel_asked = j.cancel_asked or (j.batch is not null and j.batch = any(array(select errand.stopped())))
        where j.id = any(array(select few.id from few)) returning j.id, j.fence
      )
      select (select count(*) from held), array_agg(taken.id), array_agg(taken.fence)
      into running, taken_ids, taken_fences from taken;
      if running = coalesce(cardinality(taken_ids), 0) then
        delete from errand.receipt as r where r.worker = given.worker and r.n = given.n;
      else
        update errand.receipt as r set open = r.open - cardinality(taken_ids)
        where r.worker = given.worker and r.n = given.n;
      end if;
      ids := ids || taken_ids;
      fences := fences || taken_fences;
      left_over := left_over - coalesce(cardinality(taken_ids), 0);
    end loop;
    if ids is not null then
      insert into errand.receipt (worker, n, open, ids, fences)
      values (in_worker, in_n, cardinality(ids), ids, fences);
      perform pg_notify('errand_change', '');
    end if;
  end if;
  if ids is not null then
    select h.jobs, h.inputs, h.marks into jobs, inputs, marks from errand.handed(ids, fences) as h;
  end if;
end $$;
