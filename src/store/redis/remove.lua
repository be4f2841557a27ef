-- remove: takes a job that has ended, and all it left, out of the store (C8, C10, C12).
--
-- Keys    {p}:turns:<chunk> ids   {p}:erased hash of chunk to how many are gone
--         {p}:attempts:<id> {p}:logs:<id> {p}:steps:<id> {p}:mail:<id> {p}:awaits:<id>
--         {p}:files:<id> {p}:beside:<id> {p}:hooks:<id> {p}:children:<id> {p}:tag:<tag> {p}:drops   {p}:batch:<id>   what line.lua names
-- In      an id and its row
-- Out     ids of those that left files; `finish_removed` ends the call
-- Cost    a share of DEL for each job, more for those with keys of their own
-- Beware  the list of ended jobs still names it: whoever walks that looks whether it is there

local dead, with_files, gone_of = {}, {}, {}

-- By a hook that lives, or by one that a person may retry.
local function is_looked_back_on(id)
  for _, hook in ipairs(redis.call('SMEMBERS', P .. 'hooks:' .. id)) do
    local raw = get(hook)
    if raw and byte(raw, 1) ~= COMPLETED then return true end
  end
  return false
end

-- An item of a batch that takes more: sent again it must be found.
local closed = {}
local function may_come(raw)
  if bit.band(byte(raw, 2), PLACED) == 0 then return false end
  local batch = sub(place_in(raw), 1, 16)
  if closed[batch] == nil then
    local known = redis.call('HMGET', P .. 'batch:' .. batch, 'job', 'closed')
    closed[batch] = not known[1] or known[2] and true
  end
  return not closed[batch]
end

local function erase_trails(id, row)
  for _, what in ipairs({ 'attempts:', 'logs:', 'steps:', 'mail:', 'awaits:', 'hooks:', 'children:' }) do dead[#dead + 1] = P .. what .. id end
  local files = redis.call('HKEYS', P .. 'files:' .. id)
  if #files > 0 then
    with_files[#with_files + 1] = id
    for _, name in ipairs(files) do redis.call('ZREM', P .. 'files', id .. name) end
    dead[#dead + 1] = P .. 'files:' .. id
  end
  local at = 1
  while row.has.t and at <= #row.has.t do
    local tag
    tag, at = unstruct('>Hc0', row.has.t, at)
    redis.call('ZREM', P .. 'tag:' .. tag, id)
  end
  redis.call('ZREM', P .. 'drops', id .. 'i', id .. 'R')
  if row.has.s then redis.call('SREM', P .. 'hooks:' .. row.has.s, id) end
  if row.has.c then redis.call('SREM', P .. 'children:' .. sub(row.has.c, 1, 16), id) end
end

local function remove(id, raw, has_trails)
  local row = read(raw)
  local queue = kind(row.kind).queue
  tally(queue, row.state, -1)
  tally(queue, 'erased', 1)
  leave(id, row)
  free_unique(id, row)
  if has_trails or marked(row, TRAILS) then erase_trails(id, row) end
  if marked(row, BESIDE) then dead[#dead + 1] = P .. 'beside:' .. id end
  if row.has.b then tell_batch(sub(row.has.b, 1, 16), 'erased', 1) end
  dead[#dead + 1] = J .. id
  rows[id] = false
  local chunk = floor(from_six(row.turn) / CHUNK)
  gone_of[chunk] = (gone_of[chunk] or 0) + 1
  return row
end

local function finish_removed()
  for from = 1, #dead, BATCH do
    redis.call('DEL', unpack(dead, from, min(from + BATCH - 1, #dead)))
  end
  for chunk, count in pairs(gone_of) do
    if redis.call('HINCRBY', P .. 'erased', chunk, count) >= CHUNK then
      redis.call('DEL', P .. 'turns:' .. chunk)
      redis.call('ZREM', P .. 'turns', chunk)
      redis.call('HDEL', P .. 'erased', chunk)
    end
  end
  finish()
end
