-- call, tell, ask: jobs that others call, what they say of their end, and whose caller is cancelled (C15).
--
-- In      a job that is called; words of ends; those that were cancelled
-- Out     the moves to be counted
-- Cost    an index step or two for each
-- Beware  who is asked to end and does not run is ready: whoever takes it settles it as cancelled

-- One that has ended of which its caller knows nothing is given another life.
create function errand.call_child(now bigint, child jsonb) returns errand.move[] language plpgsql
set enable_seqscan = off as $$
declare
  caller uuid := (child ->> 'parent')::uuid;
  own uuid := (child ->> 'id')::uuid;
  stored record;
begin
  select * into stored from errand.insert_json(now, jsonb_build_array(child));
  if stored.moves is not null then
    update errand.job as j set parent = caller, called = child ->> 'called' where j.id = own;
  end if;
  -- Of an earlier child, for a caller that had another input.
  delete from errand.mail as m where m.id = caller and m.name = child ->> 'box' and left(m.key, 36) <> own::text;
  if not exists (
    select from errand.mail as m where m.id = caller and m.name = child ->> 'box'
  ) and exists (select from errand.ended as e where e.id = own) then
    stored.moves := stored.moves || (select r.moves from errand.revive(now, array[own], null, true) as r);
    -- Its own was dropped; it is called again on the same.
    update errand.job as j set input = (child ->> 'input')::bytea where j.id = own and j.input = '';
  end if;
  return stored.moves;
end $$;

-- Words are taken in whatever has become of the caller; those to nobody are dropped.
create function errand.tell(now bigint, words jsonb, done bigint[]) returns errand.move[] language plpgsql
set enable_seqscan = off as $$
declare
  word record;
  moves errand.move[];
begin
  for word in
    select * from jsonb_to_recordset(words)
      as w (place bigint, job uuid, name text, key text, urgent boolean, value bytea)
    where w.place = any(done) order by w.job, w.place
  loop
    continue when not errand.locked(word.job);
    moves := moves || errand.passed_over(word.job);
    continue when exists (
      select from errand.mail as m where m.id = word.job and m.name = word.name and m.key = word.key);
    moves := moves || errand.put(now, word.job, word.name, word.key, word.urgent, word.value);
  end loop;
  return moves;
end $$;

create function errand.ask_children(now bigint, parents uuid[]) returns errand.move[] language plpgsql
set enable_seqscan = off as $$
declare
  moves errand.move[];
  child record;
begin
  for child in
    select j.id, j.state, j.queue, j.held from errand.job as j
    where j.parent = any(parents) and not j.cancel_asked order by j.turn for update
  loop
    update errand.job as j set cancel_asked = true, rev = j.rev + 1 where j.id = child.id;
    if child.state = 2 then perform pg_notify('errand_cancel', ''); end if;
    -- It may have been passed over.
    if child.state = -1 then moves := moves || row (child.held, 10, 0)::errand.move; end if;
    continue when child.state in (-1, 1, 2);
    update errand.job as j set state = case when j.held is null then 1 else -1 end, run_at = now, wakes_at = null,
      waiting_for = null where j.id = child.id;
    if child.held is not null then moves := moves || row (child.held, 10, 0)::errand.move; end if;
    moves := moves || row (child.queue, child.state, -1)::errand.move || row (child.queue, 1, 1)::errand.move;
  end loop;
  return moves;
end $$;
