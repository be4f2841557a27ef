-- post, and waiting for what is posted: mailboxes and their jobs (C14).
--
-- In      letters in order; what a job waits for
-- Out     what became of each letter, by place; whether a job need not wait
-- Cost    a few index steps a letter, some a name
-- Beware  the row of the job is the lock: whoever posts and whoever sets it aside see what the other left.
--         Names that a job waited for stay until it waits again: only those of one that waits count

create function errand.post(in_now bigint, in_slot integer, letters jsonb, mail_max integer)
returns text[] language plpgsql set enable_seqscan = off set jit = off as $$
declare
  now bigint := errand.clock(in_now);
  letter record;
  posted record;
  answers text[] := '{}';
  moves errand.move[];
begin
  for letter in
    select * from jsonb_to_recordset(letters) as l (job uuid, name text, key text, urgent boolean, if_waiting boolean,
      value bytea)
  loop
    select * into posted from errand.post_one(now, letter.job, letter.name, letter.key, letter.urgent,
      letter.if_waiting, letter.value, mail_max);
    answers := answers || posted.answer;
    moves := moves || posted.moves;
  end loop;
  if moves is not null then
    perform errand.count(in_slot, moves);
    perform pg_notify('errand_ready', ''), pg_notify('errand_change', '');
  end if;
  return answers;
end $$;

-- Locks a job wherever it lies by now: one that is retried moves meanwhile.
create function errand.locked(in_id uuid) returns boolean language plpgsql set enable_seqscan = off as $$
begin
  for tries in 1 .. 3 loop
    perform from errand.job as j where j.id = in_id for update;
    if found then return true; end if;
    perform from errand.ended as e where e.id = in_id for update;
    if found then return true; end if;
  end loop;
  return false;
end $$;

create function errand.post_one(now bigint, in_id uuid, in_name text, in_key text, is_urgent boolean, if_waiting boolean,
  in_value bytea, mail_max integer, out answer text, out moves errand.move[]) language plpgsql
set enable_seqscan = off as $$
declare
  job errand.job;
begin
  perform errand.locked(in_id);
  moves := errand.passed_over(in_id);
  select * into job from errand.job as j where j.id = in_id;
  -- A repeat, whatever has become of the job.
  if exists (select from errand.mail as m where m.id = in_id and m.name = in_name and m.key = in_key) then
    answer := 'already';
  elsif job.id is null then
    answer := errand.state((select e.state from errand.ended as e where e.id = in_id));
  elsif if_waiting and not (job.state = 3
    and exists (select from errand.awaited as a where a.id = in_id and a.name = in_name)) then
    answer := 'idle';
  elsif (select count(*) from errand.mail as m where m.id = in_id) >= mail_max then
    answer := 'full';
  else
    answer := 'posted';
    moves := moves || errand.put(now, in_id, in_name, in_key, is_urgent, in_value);
  end if;
end $$;

-- Puts a letter that is not there into the mailbox of a job whose row is locked, and wakes one that waits for it.
create function errand.put(now bigint, in_id uuid, in_name text, in_key text, is_urgent boolean, in_value bytea)
returns errand.move[] language plpgsql set enable_seqscan = off as $$
declare
  job errand.job;
  is_for_all boolean;
begin
  insert into errand.mail (id, name, key, n, at, urgent, value)
  select in_id, in_name, in_key, coalesce(max(m.n), -1) + 1, now, is_urgent, in_value
  from errand.mail as m where m.id = in_id;
  -- Who runs it next looks into the mailbox of a job that has been somewhere: of others there is none.
  update errand.job as j set created_at = j.run_at where j.id = in_id and j.created_at is null;
  select * into job from errand.job as j where j.id = in_id and j.state = 3;
  if not found then return null; end if;
  delete from errand.awaited as a where a.id = in_id and a.name = in_name returning a.for_all into is_for_all;
  if not found then return null; end if;
  if is_for_all and not is_urgent and exists (select from errand.awaited as a where a.id = in_id and a.for_all) then
    return null;
  end if;
  update errand.job as j
  set state = case when j.held is null then 1 else -1 end, run_at = now, wakes_at = null, waiting_for = null,
    rev = j.rev + 1
  where j.id = in_id;
  return array[row (job.queue, 3, -1), row (job.queue, 1, 1)]::errand.move[]
    || case when job.held is not null then array[row (job.held, 10, 0)]::errand.move[] end;
end $$;

-- Jobs that were just set aside, each with what it waits for. Those that need not wait are ready, and are counted so.
create function errand.suspend(now bigint, ids uuid[], done bigint[], waits jsonb) returns errand.move[]
language plpgsql set enable_seqscan = off as $$
declare
  wait record;
  moves errand.move[];
  job errand.job;
begin
  for wait in
    select * from jsonb_to_recordset(waits) as w (place bigint, what text, wake_at bigint, one text[], every text[])
    where w.place = any(done)
  loop
    select * into job from errand.job as j where j.id = ids[wait.place] and j.state = 3;
    continue when not found;
    delete from errand.awaited as a where a.id = job.id;
    if wait.wake_at <= now
      or exists (select from errand.mail as m where m.id = job.id
        and (m.name = any(wait.one) or (m.urgent and m.name = any(wait.every))))
      or (wait.every <> '{}' and not exists (select from unnest(wait.every) as lacking (name)
        where not exists (select from errand.mail as m where m.id = job.id and m.name = lacking.name)))
    then
      update errand.job as j set state = 1, run_at = now, waiting_for = null where j.id = job.id;
      moves := moves || row (job.queue, 3, -1)::errand.move || row (job.queue, 1, 1)::errand.move;
    else
      update errand.job as j set waiting_for = wait.what, wakes_at = wait.wake_at where j.id = job.id;
      insert into errand.awaited (id, name, for_all)
      select job.id, lacking.name, true from unnest(wait.every) as lacking (name)
      where not lacking.name = any(wait.one)
        and not exists (select from errand.mail as m where m.id = job.id and m.name = lacking.name)
      union all select distinct job.id, any_one.name, false from unnest(wait.one) as any_one (name)
      on conflict do nothing;
    end if;
  end loop;
  return moves;
end $$;

-- Wakes jobs whose time has come, a bounded number.
create function errand.awake(now bigint) returns errand.move[] language sql
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set jit = off
begin atomic
  with due as materialized (
    select j.id from errand.job as j where j.wakes_at <= now
    order by j.wakes_at limit 1000 for update skip locked
  ),
  ready as (
    update errand.job as j
    set state = case when j.held is null then 1 else -1 end, run_at = j.wakes_at, wakes_at = null,
      waiting_for = null, rev = j.rev + 1
    where j.id = any(array(select due.id from due))
    returning j.queue, j.held
  ),
  counted as (select queue, count(*)::integer as many from ready group by queue)
  select (
    select array_agg(row (queue, state, many * sign)::errand.move)
    from counted, (values (3::smallint, -1), (1::smallint, 1)) as change (state, sign)
  ) || (select array_agg(distinct row (held, 10, 0)::errand.move) from ready where held is not null);
end;

-- What lies in a mailbox; nothing when it is empty.
create function errand.mail(in_id uuid) returns jsonb language sql stable
begin atomic
  select jsonb_agg(jsonb_strip_nulls(jsonb_build_object('name', name, 'key', key, 'at', at, 'value', value,
    'urgent', nullif(urgent, false))) order by n)
  from errand.mail where id = in_id;
end;
