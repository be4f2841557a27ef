-- purge: erases what has been kept long enough (C10, C12).
--
-- Keys    {p}:ended zset   {p}:alias hash   {p}:aliases zset   {p}:audit stream   {p}:drops zset of id and section by moment   what remove.lua names
-- In      ARGV[3] limit; ARGV[4], [5] how long and how many entries of the audit log are kept, if any are to go
-- Out     how many were erased; the ids of those that left files
-- Cost    a share of MGET and DEL for each job, more for those with keys of their own
-- Beware  an entry may name a job that was retried since: only the same ending is purged, and of two in one
--         moment the row knows the last

local NEEDED_MS, ENTRIES_MAX, ALIASES_MAX, PLACE = 600000, 100, 1000, 22
local limit, erased = tonumber(ARGV[3]), 0

local aliases = redis.call('ZRANGE', P .. 'aliases', '-inf', now, 'BYSCORE', 'LIMIT', 0, ALIASES_MAX)
if #aliases > 0 then
  redis.call('ZREM', P .. 'aliases', unpack(aliases))
  redis.call('HDEL', P .. 'alias', unpack(aliases))
end

if ARGV[4] then
  local last = tonumber(redis.call('HGET', P .. 'head', 'audit') or 0)
  local gone = max(0, last - tonumber(ARGV[5]))
  for _, one in ipairs(redis.call('XRANGE', P .. 'audit', '-', '+', 'COUNT', limit)) do
    local n = tonumber(string.match(one[1], '^(%d+)'))
    if n == last or n > gone and tonumber(one[2][2]) > now - tonumber(ARGV[4]) then break end
    redis.call('XDEL', P .. 'audit', one[1])
  end
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
  remove(id, raw, hooked)
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


-- Inputs and results that go before their records, after those records that go now. One that was called again
-- meanwhile lives: its next end says anew what goes when.
local function drop(id, what)
  local raw = get(id)
  local is_over = raw and byte(raw, 1) == COMPLETED
  if is_over and is_looked_back_on(id) then
    redis.call('ZADD', P .. 'drops', now + NEEDED_MS, id .. what)
    return
  end
  redis.call('ZREM', P .. 'drops', id .. what)
  if not is_over then return end
  local row = read(raw)
  set(id, row, what, what == 'i' and '' or nil)
  row.rev = row.rev + 1
  write(id, row)
  rung.change = true
end

for _, place in ipairs(redis.call('ZRANGE', P .. 'drops', '-inf', now, 'BYSCORE', 'LIMIT', 0, limit)) do
  drop(sub(place, 1, 16), sub(place, 17))
end
open_head()
finish_batches()
seat()
finish_removed()
return { erased, table.concat(with_files) }
