-- cancel, retry, unpark: what people and workers change of jobs that are not running (C8, C10, C12).
--
-- In      ids in order; how each is ended, and with which hook; names of jobs for unpark
-- Out     what became of each, by place
-- Cost    a few index steps a job
-- Beware  a running job is only asked: it has one exit, the settlement of its holder

create function errand.cancel(
  in_now bigint, in_slot integer, in_kinds jsonb, ids uuid[], keeps bigint[], hooks jsonb, words jsonb)
returns text[] language plpgsql set enable_seqscan = off set jit = off as $$
declare
  now bigint := errand.clock(in_now);
  answers text[] := '{}';
  answer text;
  job errand.job;
  hook jsonb;
  ended bigint[] := '{}';
  moves errand.move[];
  told errand.told[];
  stirred errand.move[];
begin
  perform errand.learn(in_kinds);
  for place in 1 .. cardinality(ids) loop
    select * into job from errand.job as j where j.id = ids[place] for update;
    if not found then
      answer := errand.state((select e.state from errand.ended as e where e.id = ids[place]));
    elsif job.state = 2 then
      update errand.job as j set cancel_asked = true, rev = j.rev + 1 where j.id = job.id and not j.cancel_asked;
      answer := 'asked';
    else
      perform errand.finish(job, now, keeps[place]);
      moves := moves || row (job.queue, errand.shown(job.state), -1)::errand.move || row (job.queue, 6, 1)::errand.move;
      hook := hooks -> (place - 1);
      if hook <> 'null' then
        moves := moves || (select e.moves
          from errand.insert_json(now, jsonb_build_array(hook)) as e);
      end if;
      if job.batch is not null then told := told || row (job.batch, 6, 1, 0)::errand.told; end if;
      if job.limits is not null then
        stirred := stirred || errand.stir(array[job.limits], case job.state when 1 then -1 when -1 then 0 end, -1);
      end if;
      answer := 'cancelled';
      ended := ended || place::bigint;
    end if;
    answers := answers || answer;
  end loop;
  moves := errand.limited(moves || errand.tell(now, words, ended)
    || errand.ask_children(now, array(select ids[e.place] from unnest(ended) as e (place))) || stirred)
    || errand.tell_batches(now, told);
  if moves is not null then
    perform errand.count(in_slot, moves);
    if errand.makes_ready(moves) then perform pg_notify('errand_ready', ''); end if;
  end if;
  if 'asked' = any(answers) then perform pg_notify('errand_cancel', ''); end if;
  perform pg_notify('errand_change', '');
  return answers;
end $$;

create function errand.state(given smallint) returns text language sql immutable
return case when given = -1 then 'ready' else coalesce((array['scheduled', 'ready', 'running', 'waiting', 'completed', 'failed', 'cancelled'])[given + 1], 'gone') end;

-- Ends a job that does not run as cancelled.
create function errand.finish(job errand.job, now bigint, keep_ms bigint) returns void language plpgsql as $$
begin
  delete from errand.job as j where j.id = job.id;
  insert into errand.ended (turn, run_at, created_at, fence, started_at, expires_at, deadline_at, ended_at, rev, kind,
    state, priority, failures, crashes, losses, cancel_asked, with_errors, id, worker, subject, parent, called,
    batch, item, queue, tenant, unique_value, unique_until, fingerprint, tags, input, error, progress, purge_at,
    held, limits)
  values (job.turn, job.run_at, coalesce(job.created_at, job.run_at), coalesce(job.fence, 0), job.started_at,
    job.expires_at, job.deadline_at, now, job.rev + 1, job.kind, 6, job.priority, coalesce(job.failures, 0),
    coalesce(job.crashes, 0), coalesce(job.losses, 0), job.cancel_asked, false, job.id,
    job.worker, job.subject, job.parent, job.called, job.batch, job.item, job.queue, job.tenant, job.unique_value, job.unique_until, job.fingerprint, job.tags,
    job.input, job.error, job.progress, now + keep_ms, job.held, job.limits);
  delete from errand.hold as h where h.tenant = job.tenant and h.value = job.unique_value and h.id = job.id
    and h.name = (select k.name from errand.kind as k where k.id = job.kind);
  insert into errand.retention (purge_at, ended_at, ids) values (now + keep_ms, now, array[job.id]);
end $$;

create function errand.retry(in_now bigint, in_slot integer, ids uuid[], new_input bytea)
returns text[] language plpgsql set lock_timeout = '500ms' as $$
declare
  revived record;
begin
  select * into revived from errand.revive(errand.clock(in_now), ids, new_input, false);
  if revived.moves is not null then
    perform errand.count(in_slot, revived.moves);
    perform pg_notify('errand_ready', ''), pg_notify('errand_change', '');
  end if;
  return revived.answers;
end $$;

-- `any_end`: also those that completed.
create function errand.revive(
  now bigint, ids uuid[], new_input bytea, any_end boolean, out answers text[], out moves errand.move[]
) language plpgsql set enable_seqscan = off set jit = off as $$
declare
  answer text;
  old errand.ended;
  kind_name text;
  told errand.told[];
  stirred errand.move[];
begin
  answers := '{}';
  for place in 1 .. cardinality(ids) loop
    select * into old from errand.ended as e where e.id = ids[place] for update;
    if not found then
      answer := errand.state((select j.state from errand.job as j where j.id = ids[place]));
    elsif old.state = 4 and not any_end then
      answer := 'completed';
    -- What those that it called still say of their end would be taken for a word in its new life.
    elsif not any_end and exists (select from errand.job as j where j.parent = old.id and j.cancel_asked) then
      answer := errand.state(old.state);
    else
      select k.name into kind_name from errand.kind as k where k.id = old.kind;
      if old.unique_value is not null then
        insert into errand.hold (tenant, name, value, id) values (old.tenant, kind_name, old.unique_value, old.id)
        on conflict do nothing;
      end if;
      if old.unique_value is not null and not exists (
        select from errand.hold as h where h.tenant = old.tenant and h.name = kind_name
          and h.value = old.unique_value and h.id = old.id) then
        answer := 'taken';
      else
        delete from errand.ended as e where e.id = old.id;
        -- Steps were recorded for the input that it had.
        if new_input is not null then delete from errand.step as s where s.id = old.id; end if;
        -- What went wrong before this life is not held against it.
        delete from errand.mail as m where m.id = old.id and (m.urgent or new_input is not null);
        insert into errand.job (turn, run_at, created_at, fence, rev, kind, state, priority, id, worker, subject, parent, called,
          batch, item, queue, tenant, unique_value, unique_until, fingerprint, tags, input, held, limits)
        values (old.turn, now, old.created_at, old.fence, old.rev + 1, old.kind,
          case when old.held is null then 1 else -1 end, old.priority, old.id, old.worker,
          old.subject, old.parent, old.called, old.batch, old.item, old.queue, old.tenant, old.unique_value, old.unique_until, old.fingerprint, old.tags,
          coalesce(new_input, old.input), old.held, old.limits);
        if old.limits is not null then stirred := stirred || errand.stir(array[old.limits], 0, 1); end if;
        moves := moves || row (old.queue, old.state, -1)::errand.move || row (old.queue, 1, 1)::errand.move;
        if old.batch is not null then
          told := told || row (old.batch, old.state, -1, -old.with_errors::integer)::errand.told;
        end if;
        answer := 'retried';
      end if;
    end if;
    answers := answers || answer;
  end loop;
  moves := errand.limited(moves || stirred) || errand.tell_batches(now, told);
end $$;

create function errand.unpark(in_slot integer, names text[]) returns integer language plpgsql
set enable_seqscan = off set jit = off as $$
declare
  moves errand.move[];
  many integer;
begin
  with freed as (
    update errand.job as j
    set state = case when j.held is null then 1 else -1 end, waiting_for = null, rev = j.rev + 1
    where j.state = 3 and j.waiting_for = 'handler'
      and j.kind in (select k.id from errand.kind as k where k.name = any(names))
    returning j.queue, j.held
  ),
  counted as (select queue, count(*)::integer as many from freed group by queue)
  select (select count(*) from freed), array_agg(row (queue, state, counted.many * sign)::errand.move)
    || (select array_agg(distinct row (held, 10, 0)::errand.move) from freed where held is not null)
  into many, moves from counted, (values (3::smallint, -1), (1::smallint, 1)) as change (state, sign);
  if moves is not null then
    perform errand.count(in_slot, moves);
    perform pg_notify('errand_ready', ''), pg_notify('errand_change', '');
  end if;
  return many;
end $$;
