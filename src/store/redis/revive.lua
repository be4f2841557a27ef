-- revive: gives a job that went wrong another life under its id (C8, C10).
--
-- Keys    {p}:unique hash   {p}:steps:<id> {p}:mail:<id> hashes   {p}:children:<id> set   what line.lua names
-- In      an id; another input, if any; whether one that completed is meant too
-- Out     a byte: r(etried) g(one) t(aken), or the state it is in
-- Cost    some commands, and one for each job that it called
-- Beware  changes nothing when another job has taken the unique value meanwhile

-- What went wrong before this life is not held against it.
local function forgive(id)
  local box = P .. 'mail:' .. id
  for _, field in ipairs(redis.call('HKEYS', box)) do
    if sub(field, 1, 1) == '!' then redis.call('HDEL', box, field) end
  end
end

-- Whether any that it called was asked to end, and has not.
local function is_ending(id)
  for _, child in ipairs(redis.call('SMEMBERS', P .. 'children:' .. id)) do
    local raw = get(child)
    local row = raw and read(raw)
    if row and row.state < COMPLETED and marked(row, ASKED) then return true end
  end
  return false
end

local function revive(id, input, any_end)
  local raw = get(id)
  if not raw then return 'g' end
  local row = read(raw)
  local state = row.state
  if state ~= FAILED and state ~= CANCELLED and not (any_end and state == COMPLETED) then return char(state) end
  -- What those still say of their end would be taken for a word in its new life.
  if not any_end and is_ending(id) then return char(state) end
  local value = row.has.u
  if value then
    local holder = redis.call('HGET', P .. 'unique', value)
    if holder and holder ~= id then return 't' end
    redis.call('HSET', P .. 'unique', value, id)
    mark(row, HOLDS, true)
  end
  leave(id, row)
  if row.has.b then tell_end(row.has.b, state, row.has.W, -1) end
  for _, code in ipairs({ 'n', 'x', 'd', 'r', 'e', 'R', 'W', 'P' }) do set(id, row, code, nil) end
  if input then
    set(id, row, 'i', input)
    -- They were recorded for the input that it had.
    redis.call('DEL', P .. 'steps:' .. id, P .. 'mail:' .. id)
  end
  forgive(id)
  mark(row, ASKED, false)
  row.started_at, row.ended_at, row.run_at, row.rev = NEVER, NEVER, now, row.rev + 1
  line_up(id, row)
  write(id, row)
  if row.has.l then count_pending(row.has.l, 1) end
  local queue = kind(row.kind).queue
  tally(queue, state, -1)
  tally(queue, READY, 1)
  rung.ready, rung.change = true, true
  return 'r'
end
