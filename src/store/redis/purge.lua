-- purge: erases what has been kept long enough (C10, C12).
--
-- Keys    {p}:ended zset   {p}:turns:<chunk> ids   {p}:erased hash of chunk to how many are gone
--         {p}:attempts:<id> {p}:logs:<id> {p}:steps:<id> {p}:mail:<id> {p}:awaits:<id>
--         {p}:files:<id> {p}:beside:<id> {p}:hooks:<id> {p}:children:<id> {p}:tag:<tag>
-- In      ARGV[3] limit
-- Out     how many were erased; the ids of those that left files
-- Cost    a share of MGET and DEL for each job, more for those with keys of their own
-- Beware  an entry may name a job that was retried since: only the same ending is purged, and of two in one
--         moment the row knows the last

local NEEDED_MS, ENTRIES_MAX, ALIASES_MAX, PLACE = 600000, 100, 1000, 22
local limit, erased, dead, with_files, gone_of = tonumber(ARGV[3]), 0, {}, {}, {}

local aliases = redis.call('ZRANGE', P .. 'aliases', '-inf', now, 'BYSCORE', 'LIMIT', 0, ALIASES_MAX)
if #aliases > 0 then
  redis.call('ZREM', P .. 'aliases', unpack(aliases))
  redis.call('HDEL', P .. 'alias', unpack(aliases))
end

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
  if row.has.s then redis.call('SREM', P .. 'hooks:' .. row.has.s, id) end
  if row.has.c then redis.call('SREM', P .. 'children:' .. sub(row.has.c, 1, 16), id) end
end

local function erase(place, ended_at, hooked)
  local id = sub(place, 7)
  local raw = rows[id]
  if not raw or byte(raw, 1) < COMPLETED or sub(raw, 7, 12) ~= sub(place, 1, 6)
    or sub(raw, 59, 64) ~= ended_at or from_six(raw, 47) > now then return end
  if (hooked and is_looked_back_on(id)) or may_come(raw) then
    redis.call('ZADD', P .. 'ended', 'GT', now + NEEDED_MS, ended_at .. place)
    return
  end
  local row = read(raw)
  local queue = kind(row.kind).queue
  tally(queue, row.state, -1)
  tally(queue, 'erased', 1)
  leave(id, row)
  free_unique(id, row)
  if hooked or marked(row, TRAILS) then erase_trails(id, row) end
  if row.has.b then tell_batch(sub(row.has.b, 1, 16), 'erased', 1) end
  if marked(row, BESIDE) then dead[#dead + 1] = P .. 'beside:' .. id end
  dead[#dead + 1] = J .. id
  rows[id] = false
  local chunk = floor(from_six(row.turn) / CHUNK)
  gone_of[chunk] = (gone_of[chunk] or 0) + 1
  erased = erased + 1
end

local function erase_entry(entry, left)
  local ids, hooks, total = {}, {}, (#entry - 6) / PLACE
  local count = min(left, total)
  for i = 1, count do
    ids[i] = sub(entry, 13 + (i - 1) * PLACE, 6 + i * PLACE)
    hooks[i] = P .. 'hooks:' .. ids[i]
  end
  fetch(ids)
  local hooked = redis.call('EXISTS', unpack(hooks)) > 0
  local purge_at = redis.call('ZSCORE', P .. 'ended', entry)
  redis.call('ZREM', P .. 'ended', entry)
  if count < total then
    redis.call('ZADD', P .. 'ended', 'GT', purge_at, sub(entry, 1, 6) .. sub(entry, 7 + count * PLACE))
  end
  for i = 1, count do
    erase(sub(entry, 7 + (i - 1) * PLACE, 6 + i * PLACE), sub(entry, 1, 6), hooked)
  end
  return count
end

-- One stays for as long as its items are kept, or its last job, which may be given another life.
local function purge_batches()
  local ripe_batches = redis.call('ZRANGE', P .. 'batches:purge', '-inf', now, 'BYSCORE', 'LIMIT', 0, ENTRIES_MAX)
  for _, batch in ipairs(ripe_batches) do
    local known = redis.call('HMGET', P .. 'batch:' .. batch, 'items', 'erased')
    if tonumber(known[2]) < tonumber(known[1]) or is_looked_back_on(batch) then
      redis.call('ZADD', P .. 'batches:purge', now + NEEDED_MS, batch)
    else
      dead[#dead + 1], dead[#dead + 2] = P .. 'batch:' .. batch, P .. 'hooks:' .. batch
      redis.call('ZREM', P .. 'batches:purge', batch)
      redis.call('ZREM', P .. 'batches', batch)
    end
  end
end

local left = limit
purge_batches()
local ripe = redis.call('ZRANGE', P .. 'ended', '-inf', now, 'BYSCORE', 'LIMIT', 0, ENTRIES_MAX)
for _, entry in ipairs(ripe) do
  if left <= 0 then break end
  left = left - erase_entry(entry, min(left, BATCH))
end

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
open_head()
finish_batches()
seat()
finish()
return { erased, table.concat(with_files) }
