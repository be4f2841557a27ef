-- hand: numbers a worker's trips and hands jobs out under new fences, with a receipt (C2, C4, C5).
--
-- Keys    {p}:worker:<id> hash   {p}:receipts:<worker> hash of n to entries   {p}:open:<worker>
--         {p}:asked:<worker> set of jobs whose cancel was asked
-- In      the worker, its number, jobs on their way
-- Out     a receipt, turn, id and fence of each job; and their rows; after one with keys of its own its steps
--         and its mail (a limited one says whether it has any), then the row of its subject where it is a hook, or its batch
-- Cost    three commands a trip, a share of MGET and MSET for each job
-- Beware  the last two numbers are remembered even when they handed out nothing

-- turn and id, fence
local ENTRY = 28

-- 'gone', 'closed', 'again' or 'new'; and the older of the last two numbers.
local function take_number(worker, n)
  local key = P .. 'worker:' .. worker
  local known = redis.call('HMGET', key, 'newest', 'second', 'gone')
  local newest, second = tonumber(known[1]), tonumber(known[2])
  if not newest or known[3] then return 'gone' end
  if n == newest or n == second then return 'again', second end
  if n < second then return 'closed' end
  local older = min(n, newest)
  redis.call('HSET', key, 'newest', max(n, newest), 'second', older)
  if second > 0 then
    local open = redis.call('HGET', P .. 'open:' .. worker, second)
    if open and tonumber(open) <= 0 then drop_receipt(worker, second) end
  end
  return 'new', older
end

-- Under a new fence, with a life of its own; `started` is kept when a running job changes hands.
local function take(worker, n, id, raw, started)
  local marks, rev = unstruct('>BI4', raw, 2)
  local fence, tail = now, HEAD
  if bit.band(marks, LIFE) > 0 then
    fence, tail = max(from_six(raw, 41) + 1, now), WITH_LIFE
  end
  if bit.band(marks, PLACED) > 0 and is_stopped(sub(place_in(raw), 1, 16)) then marks = bit.bor(marks, ASKED) end
  local limits = byte(raw, 1) == READY and limits_of(raw)
  if limits then count_pending(limits, -1) end
  if bit.band(marks, ASKED) > 0 then redis.call('SADD', P .. 'asked:' .. worker, id) end
  local packed = six(fence)
  local fresh = pack('>BBI4', RUNNING, bit.bor(bit.band(marks, 255 - LINED), LIFE), rev + 1)
    .. sub(raw, 7, 24) .. worker .. packed .. six(n) .. (started or NOW) .. NEVER .. sub(raw, tail)
  put(id, fresh)
  return fresh, packed
end

local function describe(parts, id, raw)
  parts[#parts + 1] = whole(id, raw)
  if bit.band(byte(raw, 2), TRAILS) == 0 then return end
  local limits, upto = limits_of(raw)
  if limits and upto > #raw then return end
  local has = read(raw).has
  if has.m or not limits then
    parts[#parts + 1] = redis.call('HGETALL', P .. 'steps:' .. id)
    parts[#parts + 1] = redis.call('HGETALL', P .. 'mail:' .. id)
  end
  local of = has.s
  if not of then return end
  local looked = get(of)
  -- Of a batch the fields and values.
  parts[#parts + 1] = looked and whole(of, looked) or redis.call('HGETALL', P .. 'batch:' .. of)
end

local function hand_out(worker, n, places)
  local receipt = table.concat(places)
  if receipt ~= '' then
    redis.call('HSET', P .. 'receipts:' .. worker, n, receipt)
    redis.call('HSET', P .. 'open:' .. worker, n, #places)
    rung.change = true
  end
  return receipt
end

-- The entries of a receipt whose jobs still run under it: id and row. An erased job's id may be another's by now.
local function still_running(worker, n, entries)
  local ids, found = {}, {}
  for at = 1, #entries, ENTRY do ids[#ids + 1] = sub(entries, at + 6, at + 21) end
  fetch(ids)
  for i, id in ipairs(ids) do
    local raw, at = rows[id], (i - 1) * ENTRY
    local fence = sub(entries, at + 23, at + 28)
    if raw and byte(raw, 1) == RUNNING and sub(raw, 25, 52) == worker .. fence .. six(n) then
      found[#found + 1] = { id, raw }
    end
  end
  return found
end

local function hand_again(worker, n)
  local places, parts = {}, {}
  local entries = redis.call('HGET', P .. 'receipts:' .. worker, n)
  for i, one in ipairs(still_running(worker, n, entries or '')) do
    places[i] = sub(one[2], 7, 12) .. one[1] .. sub(one[2], 41, 46)
    describe(parts, one[1], one[2])
  end
  return table.concat(places), parts
end
