-- purge: removes what has been kept long enough (C10).
--
-- In      how many jobs at most
-- Out     how many were erased, and which of them left files
-- Cost    index steps for what is removed
-- Beware  a list of ended jobs may name one that was retried since: only the same ending is purged, and of
--         two in one moment the row knows the last

create function errand.purge(in_now bigint, in_slot integer, lim integer, out erased integer, out with_files uuid[])
language plpgsql set enable_seqscan = off set jit = off as $$
declare
  now bigint := errand.clock(in_now);
  entry record;
  few uuid[];
  hooked uuid[];
  gone uuid[];
  moves errand.move[];
  more errand.move[];
  told errand.told[];
  gone_told errand.told[];
  files uuid[];
begin
  -- One after the other: a list of ended jobs may be shortened by the purge before.
  perform pg_advisory_xact_lock(hashtext('errand.purge'));
  erased := 0;
  with_files := '{}';
  delete from errand.alias
  where id in (select a.id from errand.alias as a where a.purge_at <= now limit 1000 for update skip locked);
  perform errand.fold();
  perform errand.purge_batches(now);
  perform errand.purge_limits(now, 86400000);
  for entry in
    select r.ctid as place, r.* from errand.retention as r where r.purge_at <= now
    order by r.purge_at limit 100
  loop
    exit when lim <= 0;
    few := entry.ids[1:lim];
    -- A hook that lives, or may be retried, looks back on its subject: that is looked at again in ten minutes.
    select array_agg(looked.subject) into hooked from (
      select j.subject from errand.job as j where j.subject = any(few)
      union
      select e.subject from errand.ended as e where e.subject = any(few) and e.state > 4
    ) as looked;
    if hooked is not null then
      insert into errand.retention (purge_at, ended_at, ids)
      values (now + 600000, entry.ended_at, hooked);
    end if;
    with out_of_time as (
      delete from errand.ended as e
      where e.id = any(few) and e.ended_at = entry.ended_at and e.purge_at <= now
        and not e.id = any(coalesce(hooked, '{}'))
      returning e.id, e.queue, e.state, e.tags, e.turn, e.tenant, e.unique_value, e.kind, e.batch
    ),
    untagged as (
      delete from errand.tag as t using out_of_time as o where o.tags is not null and t.tag = any(o.tags) and t.turn = o.turn
    ),
    freed as (
      delete from errand.hold as h using out_of_time as o
      where o.unique_value is not null and h.tenant = o.tenant and h.value = o.unique_value and h.id = o.id
        and h.name = (select k.name from errand.kind as k where k.id = o.kind)
    ),
    counted as (select queue, state, count(*)::integer as many from out_of_time group by queue, state)
    select (select array_agg(id) from out_of_time),
      (select array_agg(row (queue, what, many * sign)::errand.move)
       from counted, lateral (values (state, -1), (-1::smallint, 1)) as change (what, sign)),
      (select array_agg(row (o.batch, -1, 1, 0)::errand.told) from out_of_time as o where o.batch is not null)
    into gone, more, gone_told;
    delete from errand.log as l where l.id = any(gone);
    delete from errand.attempt as a where a.id = any(gone);
    delete from errand.step as s where s.id = any(gone);
    delete from errand.mail as m where m.id = any(gone);
    delete from errand.awaited as a where a.id = any(gone);
    with struck as (delete from errand.artifact as a where a.id = any(gone) returning a.id)
    select array_agg(distinct struck.id) into files from struck;
    with_files := with_files || coalesce(files, '{}');
    erased := erased + coalesce(cardinality(gone), 0);
    moves := moves || more;
    told := told || gone_told;
    if cardinality(entry.ids) <= lim then
      delete from errand.retention as r where r.ctid = entry.place;
    else
      update errand.retention as r set ids = entry.ids[lim + 1:] where r.ctid = entry.place;
    end if;
    lim := lim - cardinality(entry.ids);
  end loop;
  perform errand.tell_batches(now, told);
  if moves is not null then perform errand.count(in_slot, moves); end if;
end $$;
