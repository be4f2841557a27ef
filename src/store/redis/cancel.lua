-- cancel: ends jobs that are not running, and asks the holders of those that are (C3, C10, C12).
--
-- Keys    {p}:asked:<worker> set   what line.lua and arrive.lua name
-- In      ARGV[3] for each job: id, span to keep I6, lengths I4 of its hook and of its word, then those; ARGV[4] kinds of hooks
-- Out     a byte a job: c(ancelled) a(sked) g(one), or the state it is in
-- Cost    some commands a job, whatever the length of its line
-- Beware  a running job is only asked: it has one exit, the settlement of its holder

local lacking = lacks_kind(ARGV[4])
if lacking then return lacking end
local blob, at, answers = ARGV[3], 1, {}

local function cancel(id, keep_ms, hook, word)
  local raw = get(id)
  if not raw then return 'g' end
  local row = read(raw)
  local state = row.state
  if state >= COMPLETED then return char(state) end
  rung.change = true
  if state == RUNNING then
    if not marked(row, ASKED) then
      mark(row, ASKED, true)
      row.rev = row.rev + 1
      redis.call('SADD', P .. 'asked:' .. row.worker, id)
      write(id, row)
    end
    rung.cancel = true
    return 'a'
  end
  leave(id, row)
  if row.has.l then count_pending(row.has.l, -1) end
  row.rev = row.rev + 1
  stop(id, row, CANCELLED, keep_ms)
  write(id, row)
  local queue = kind(row.kind).queue
  tally(queue, state, -1)
  tally(queue, CANCELLED, 1)
  if hook ~= '' then
    local follower, size, _, from = unstruct('>c16I4I4', hook)
    arrive(follower, sub(hook, from, from + size - 1), sub(hook, from + size))
  end
  if word ~= '' then tell(word) end
  ask_children(id)
  return 'c'
end

while at <= #blob do
  local id, keep_ms, size, more, from = unstruct('>c16I6I4I4', blob, at)
  at = from + size + more
  answers[#answers + 1] = cancel(id, keep_ms, sub(blob, from, from + size - 1), sub(blob, from + size, at - 1))
end
finish_batches()
seat()
finish_ended()
finish()
return table.concat(answers)
