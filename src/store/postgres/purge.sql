-- purge, erase: removes what has been kept long enough, or is to go now (C8, C10, C12).
--
-- In      how many jobs at most; ids in order
-- Out     how many were erased, and which of them left files; what became of each id
-- Cost    index steps for what is removed
-- Beware  a list of ended jobs may name one that was retried since: only the same ending is purged, and of
--         two in one moment the row knows the last

-- Ended jobs and all they left: those of this ending whose time is over, or all where no moment is given.
create function errand.remove(
  in_ids uuid[], in_ended_at bigint, now bigint, out gone uuid[], out files uuid[], out moves errand.move[],
  out told errand.told[])
language plpgsql set enable_seqscan = off set jit = off as $$
begin
  with removed as (
    delete from errand.ended as e
    where e.id = any(in_ids) and (now is null or e.ended_at = in_ended_at and e.purge_at <= now)
    returning e.id, e.queue, e.state, e.tags, e.turn, e.tenant, e.unique_value, e.kind, e.batch
  ),
  untagged as (
    delete from errand.tag as t using removed as o where o.tags is not null and t.tag = any(o.tags) and t.turn = o.turn
  ),
  freed as (
    delete from errand.hold as h using removed as o
    where o.unique_value is not null and h.tenant = o.tenant and h.value = o.unique_value and h.id = o.id
      and h.name = (select k.name from errand.kind as k where k.id = o.kind)
  ),
  counted as (select queue, state, count(*)::integer as many from removed group by queue, state)
  select (select array_agg(id) from removed),
    (select array_agg(row (queue, what, many * sign)::errand.move)
     from counted, lateral (values (state, -1), (-1::smallint, 1)) as change (what, sign)),
    (select array_agg(row (o.batch, -1, 1, 0)::errand.told) from removed as o where o.batch is not null)
  into gone, moves, told;
  delete from errand.log as l where l.id = any(gone);
  delete from errand.attempt as a where a.id = any(gone);
  delete from errand.step as s where s.id = any(gone);
  delete from errand.mail as m where m.id = any(gone);
  delete from errand.awaited as a where a.id = any(gone);
  delete from errand.drops as d where d.id = any(gone);
  with struck as (delete from errand.artifact as a where a.id = any(gone) returning a.id)
  select array_agg(distinct struck.id) into files from struck;
end $$;

-- Those that a hook looks back on which lives, or may be retried.
create function errand.hooked(ids uuid[]) returns uuid[] language sql stable set enable_seqscan = off
begin atomic
  select array_agg(looked.subject) from (
    select j.subject from errand.job as j where j.subject = any(ids)
    union
    select e.subject from errand.ended as e where e.subject = any(ids) and e.state > 4
  ) as looked;
end;

-- Items of batches that take more: sent again they must be found.
create function errand.awaited_items(ids uuid[]) returns uuid[] language sql stable set enable_seqscan = off
begin atomic
  select array_agg(e.id) from errand.ended as e join errand.batch as b on b.id = e.batch
  where e.id = any(ids) and b.closed_at is null;
end;

-- Inputs and results that go before their records; not while a hook looks back on them. One that was called again
-- meanwhile lives: its next end says anew what goes when.
create function errand.drop_due(now bigint, lim integer) returns void language plpgsql set enable_seqscan = off as $$
declare
  due record;
  any_found boolean := false;
begin
  for due in select d.id, d.what from errand.drops as d where d.drop_at <= now order by d.drop_at limit lim for update
  loop
    if errand.hooked(array[due.id]) is not null then
      update errand.drops as d set drop_at = now + 600000 where d.id = due.id and d.what = due.what;
      continue;
    end if;
    update errand.ended as e set rev = e.rev + 1, input = case when due.what = 'input' then '' else e.input end,
      result = case when due.what = 'result' then null else e.result end
    where e.id = due.id and e.state = 4;
    any_found := any_found or found;
    delete from errand.drops as d where d.id = due.id and d.what = due.what;
  end loop;
  if any_found then perform pg_notify('errand_change', ''); end if;
end $$;

create function errand.erase(in_now bigint, in_slot integer, ids uuid[]) returns text[]
language plpgsql set enable_seqscan = off set jit = off as $$
declare
  now bigint := errand.clock(in_now);
  answers text[] := '{}';
  answer text;
  old errand.ended;
  removed record;
  moves errand.move[];
  told errand.told[];
begin
  for place in 1 .. cardinality(ids) loop
    -- Locked first: it cannot be retried, and end again with a hook, before it goes.
    perform errand.locked(ids[place]);
    select * into old from errand.ended as e where e.id = ids[place];
    if not found then
      answer := errand.state((select j.state from errand.job as j where j.id = ids[place]));
    elsif errand.hooked(array[old.id]) is not null then
      answer := 'hooked';
    elsif errand.awaited_items(array[old.id]) is not null then
      answer := 'filling';
    else
      select * into removed from errand.remove(array[old.id], null, null);
      moves := moves || removed.moves;
      told := told || removed.told;
      -- Under its own id, so that a repeat of the request makes no other job.
      if old.fingerprint is not null and old.created_at + 86400000 > now then
        insert into errand.alias (id, job, fingerprint, purge_at)
        values (old.id, old.id, old.fingerprint, old.created_at + 86400000)
        on conflict on constraint alias_pkey do update
        set job = excluded.job, fingerprint = excluded.fingerprint, purge_at = excluded.purge_at;
      end if;
      answer := 'erased';
    end if;
    answers := answers || answer;
  end loop;
  perform errand.tell_batches(now, told);
  if moves is not null then
    perform errand.count(in_slot, moves);
    perform pg_notify('errand_change', '');
  end if;
  return answers;
end $$;

create function errand.purge(in_now bigint, in_slot integer, lim integer, audit_ms bigint, audit_max bigint,
  out erased integer, out with_files uuid[])
language plpgsql set enable_seqscan = off set jit = off as $$
declare
  now bigint := errand.clock(in_now);
  entry record;
  few uuid[];
  hooked uuid[];
  removed record;
  moves errand.move[];
  told errand.told[];
begin
  -- One after the other: a list of ended jobs may be shortened by the purge before.
  perform pg_advisory_xact_lock(hashtext('errand.purge'));
  erased := 0;
  with_files := '{}';
  delete from errand.alias
  where id in (select a.id from errand.alias as a where a.purge_at <= now limit 1000 for update skip locked);
  perform errand.drop_due(now, lim);
  delete from errand.audit where audit_ms is not null and n in (
    select old.n from (select a.n, a.at from errand.audit as a order by a.n limit lim) as old
    where (old.at <= now - audit_ms or old.n <= (select max(a.n) from errand.audit as a) - audit_max)
      and old.n < (select max(a.n) from errand.audit as a));
  perform errand.fold();
  perform errand.purge_limits(now, 86400000);
  for entry in
    select r.ctid as place, r.* from errand.retention as r where r.purge_at <= now
    order by r.purge_at limit 100
  loop
    exit when lim <= 0;
    few := entry.ids[1:lim];
    -- A hook that lives, or may be retried, looks back on its subject: that is looked at again in ten minutes.
    hooked := errand.hooked(few) || errand.awaited_items(few);
    if hooked is not null then
      insert into errand.retention (purge_at, ended_at, ids)
      values (now + 600000, entry.ended_at, hooked);
    end if;
    select * into removed from errand.remove(
      array(select one.id from unnest(few) as one (id) where not one.id = any(coalesce(hooked, '{}'))), entry.ended_at, now);
    with_files := with_files || coalesce(removed.files, '{}');
    erased := erased + coalesce(cardinality(removed.gone), 0);
    moves := moves || removed.moves;
    told := told || removed.told;
    if cardinality(entry.ids) <= lim then
      delete from errand.retention as r where r.ctid = entry.place;
    else
      update errand.retention as r set ids = entry.ids[lim + 1:] where r.ctid = entry.place;
    end if;
    lim := lim - cardinality(entry.ids);
  end loop;
  perform errand.tell_batches(now, told);
  perform errand.purge_batches(now);
  if moves is not null then perform errand.count(in_slot, moves); end if;
end $$;
